#!lua name=wsfleet_v1
-- What wsfleet runs inside Redis: it numbers the messages of a channel, keeps the last
-- ones and sends them to the subscribers, all in one step. docs/broker.md says how to
-- call it from redis-cli. Nodes of one fleet may have different versions of it: what
-- changes its meaning changes its name.
--
-- Each channel has a stream, wsfleet:{channel}, whose entries have the ID <offset>-0, the
-- message in field p and a header in field h: epoch, the first offset of that epoch, the
-- epochs before it (newest first, epoch:first offset,... or '-' if none), the time in ms,
-- and the length and age (ms) of the history ('-' if nobody said). The last entry, the anchor, is never trimmed: it is what
-- the next message is counted from. Without a history it is the only one, and has no p.

local MAGIC = '\0wsfleet1\0'
-- How long (ms) an anchor outlives what it is needed for. Longer than any node or client
-- is away: who comes back later can't be told what it missed.
local LINGER = 3600000
-- What callers get who don't say how much history they want, on a channel where nobody did.
local LENGTH, AGE = 1000, 600000
-- Offsets are exact up to here: Lua's numbers are doubles.
local OFFSET_MAX = 9007199254740991
-- So many epochs back it is known which followed on which.
local PAST_MAX = 4
-- Old entries are looked for once in so many messages, and twice so many at the most.
local TRIM_EVERY = 16

-- The instance names this copy of the library in the memory of one server process. It is
-- neither replicated nor stored, and a replica that had to take over other data has a new
-- one: whoever goes on counting after a restart or a failover does so in a new epoch. An
-- offset that the old server gave out and the new one never saw can't be taken for its own.
local instance
local epochs = 0
local clustered

local function base36(n)
  local digits, s = '0123456789abcdefghijklmnopqrstuvwxyz', ''
  repeat
    local d = n % 36
    s = string.sub(digits, d + 1, d + 1) .. s
    n = (n - d) / 36
  until n == 0
  return s
end

local function now()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

local function new_epoch()
  if not instance then
    local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x%x%x%x%x%x%x%x)')
    local t = redis.call('TIME')
    instance = run .. '-' .. base36(t[1] * 1000000 + t[2]) .. '-'
  end
  epochs = epochs + 1
  return instance .. base36(epochs)
end

local function is_own(epoch)
  return instance and string.sub(epoch, 1, #instance) == instance
end

local function in_cluster()
  if clustered == nil then
    clustered = string.find(redis.call('INFO', 'cluster'), 'cluster_enabled:1', 1, true) ~= nil
  end
  return clustered
end

-- number writes a whole number as Redis reads it: tostring would turn to 1e+15.
local function number(n) return string.format('%.0f', n) end

-- key_of names the stream of a channel. Both have the same hash slot.
local function key_of(channel)
  local open = string.find(channel, '{', 1, true)
  local close = open and string.find(channel, '}', open + 1, true)
  if close and close > open + 1 then return 'wsfleet::' .. channel end
  return 'wsfleet:{' .. channel .. '}'
end

-- previous returns the first of the epochs before, '-' if there is none.
local function previous(past) return string.match(past, '^[^:]+') end

-- past_of writes the epochs before one that begins after the entry.
local function past_of(last)
  local past = last.epoch .. ':' .. number(last.start)
  local n = 1
  for older in string.gmatch(last.past, '[^,]+') do
    if older == '-' or n == PAST_MAX then break end
    past, n = past .. ',' .. older, n + 1
  end
  return past
end

-- parse turns what XRANGE returned for one entry into a table; nil if there is none.
local function parse(raw)
  if not raw then return nil end
  local f = raw[2]
  local epoch, start, past, ms, length, age = string.match(f[2], '^(%S+) (%d+) (%S+) (%d+) (%S+) (%S+)$')
  if f[1] ~= 'h' or not epoch then error('wsfleet: entry ' .. raw[1] .. ' was not written by wsfleet') end
  return {
    epoch = epoch, offset = tonumber(string.match(raw[1], '^%d+')), start = tonumber(start), past = past,
    ms = tonumber(ms), length = tonumber(length), age = tonumber(age), head = f[2], payload = f[4],
  }
end

local function first_from(key, offset) return parse(redis.call('XRANGE', key, number(offset), '+', 'COUNT', 1)[1]) end
local function last_until(key, offset) return parse(redis.call('XREVRANGE', key, number(offset), '-', 'COUNT', 1)[1]) end
local function last_of(key) return parse(redis.call('XREVRANGE', key, '+', '-', 'COUNT', 1)[1]) end

-- trim deletes what is older than age, some entries at a time and never the last.
local function trim(key, age, ms)
  if parse(redis.call('XRANGE', key, '-', '+', 'COUNT', 1)[1]).ms >= ms - age then return end
  local keep
  for _, raw in ipairs(redis.call('XRANGE', key, '-', '+', 'COUNT', 2 * TRIM_EVERY)) do
    keep = raw[1]
    if parse(raw).ms >= ms - age then break end
  end
  redis.call('XTRIM', key, 'MINID', '=', keep)
end

-- recent holds, by key, what was last published by this instance, with the parts of the next
-- message ready: that makes a message three times as cheap. It is relied upon only while the
-- stream can't have expired, and XADD refuses it if the stream is gone or somebody else wrote
-- to it.
local recent, recents = {}, 0
local RECENT_S, RECENT_MAX = 60, 10000

-- begin returns what to count from, after what the stream ends with.
local function begin(key, channel, length, age)
  local r, last = {channel = channel, length_said = length, age_said = age}, last_of(key)
  if not last then
    r.epoch, r.offset, r.start, r.past = new_epoch(), 0, 1, '-'
  elseif is_own(last.epoch) then
    r.epoch, r.offset, r.start, r.past = last.epoch, last.offset, last.start, last.past
  else
    r.epoch, r.offset, r.start, r.past = new_epoch(), last.offset, last.offset + 1, past_of(last)
  end
  r.length = tonumber(length) or last and last.length or LENGTH
  r.age = tonumber(age) or last and last.age or AGE
  r.make = not last
  r.keep = number(math.max(r.length, 1))
  r.head = r.epoch .. ' ' .. number(r.start) .. ' ' .. r.past .. ' '
  r.tail = ' ' .. number(r.length) .. ' ' .. number(r.age)
  r.wire = MAGIC .. r.epoch .. ' '
  r.wire_start = ' ' .. number(r.start) .. ' ' .. previous(r.past) .. ' '
  return r
end

-- add adds a message to the stream; the result has err if that is not as r says.
local function add(key, r, id, ms, payload)
  local head = r.head .. ms .. r.tail
  if r.make then
    if r.length > 0 then return redis.pcall('XADD', key, 'MAXLEN', '=', r.keep, id, 'h', head, 'p', payload) end
    return redis.pcall('XADD', key, 'MAXLEN', '=', r.keep, id, 'h', head)
  end
  if r.length > 0 then return redis.pcall('XADD', key, 'NOMKSTREAM', 'MAXLEN', '=', r.keep, id, 'h', head, 'p', payload) end
  return redis.pcall('XADD', key, 'NOMKSTREAM', 'MAXLEN', '=', r.keep, id, 'h', head)
end

local function expire(key, r)
  if r.length > 0 and r.age == 0 then
    redis.call('PERSIST', key)
  else
    redis.call('PEXPIRE', key, number(r.age + LINGER))
  end
end

-- remember keeps r for the next message of its key.
local function remember(key, r)
  if not recent[key] then
    if recents == RECENT_MAX then recent, recents = {}, 0 end
    recents = recents + 1
  end
  recent[key] = r
end

-- wsfleet_publish: KEYS stream [id]; ARGV channel payload [length age sharded window].
-- It returns the position of the message. With the key of an id (any name that begins
-- with the stream's) a repeat within window ms does nothing and returns the same position.
local function publish(keys, args)
  local key, channel, payload = keys[1], args[1], args[2]
  if keys[2] then
    local done = redis.call('GET', keys[2])
    if done then return done end
  end
  local t = redis.call('TIME')
  local s, ms = tonumber(t[1]), t[1] .. string.format('%03d', t[2] / 1000)
  local r, offset, added = recent[key], nil, nil
  if r and r.channel == channel and r.length_said == args[3] and r.age_said == args[4]
    and payload and s >= r.expire_s and s - r.expire_s < RECENT_S then
    offset = number(r.offset + 1)
    added = add(key, r, offset .. '-0', ms, payload)
  end
  if type(added) ~= 'string' then
    if not payload then return redis.error_reply('ERR wsfleet_publish: want the arguments channel and payload') end
    if key ~= key_of(channel) then
      return redis.error_reply('ERR wsfleet_publish: the key of this channel is ' .. key_of(channel))
    end
    r = begin(key, channel, args[3], args[4])
    offset = number(r.offset + 1)
    added = add(key, r, offset .. '-0', ms, payload)
    if type(added) ~= 'string' then return added end
    expire(key, r)
    r.expire_s, r.make = s, false
    remember(key, r)
  end
  r.offset = r.offset + 1
  if r.age > 0 and r.length > 0 and r.offset % TRIM_EVERY == 0 then trim(key, r.age, tonumber(ms)) end
  local position = r.epoch .. ':' .. offset
  if keys[2] then redis.call('SET', keys[2], position, 'PX', args[6] or LINGER) end
  local sharded = args[5]
  redis.call((sharded == '1' or (not sharded or sharded == '') and in_cluster()) and 'SPUBLISH' or 'PUBLISH', channel,
    r.wire .. offset .. r.wire_start .. ms .. '\n' .. payload)
  return position
end

-- wsfleet_anchor: KEYS stream. It returns epoch, offset, first offset of the epoch and the
-- epochs before of the newest message. A channel without messages gets an anchor with
-- offset 0, so that who subscribes first has a position to come back with.
local function anchor(keys)
  local last = last_of(keys[1])
  if not last then
    last = {epoch = new_epoch(), offset = 0, start = 1, past = '-'}
    redis.call('XADD', keys[1], '0-1', 'h', table.concat({last.epoch, 1, '-', number(now()), '-', '-'}, ' '))
    redis.call('PEXPIRE', keys[1], LINGER)
  else
    redis.call('PEXPIRE', keys[1], LINGER, 'GT')
  end
  return table.concat({last.epoch, number(last.offset), number(last.start), last.past}, ' ')
end

-- locate returns the offset in the stream after which everything came after the position,
-- nil if that can't be told or something after it is gone.
local function locate(key, epoch, offset)
  local x = first_from(key, offset + 1)
  if x and x.offset == offset + 1 and (x.epoch == epoch or previous(x.past) == epoch and x.offset == x.start) then
    return offset
  end
  -- Back through the epochs until that of the position. Its last entry here may have a
  -- lower offset: the server that took over never saw the rest.
  local y = last_until(key, offset)
  while y do
    if y.epoch == epoch then return y.offset end
    if previous(y.past) == epoch then
      local first = first_from(key, y.start)
      return first.offset == y.start and y.start - 1 or nil
    end
    -- Before the anchor of a channel without messages there is nothing, and 0 finds itself.
    if y.offset == 0 then return nil end
    y = last_until(key, y.start - 1)
  end
  return nil
end

-- wsfleet_history: KEYS stream; ARGV epoch offset limit age bytes. It returns 'ok', the
-- anchor, whether there are more, and then ID, header and payload of each message after the
-- position, at most limit of them, none older than age ms (0: any), and not many more than
-- the given bytes. 'old' in place of 'ok': something is gone, these are the oldest there are.
local function history(keys, args)
  local key, epoch, limit, age, room = keys[1], args[1], tonumber(args[3]), tonumber(args[4]), tonumber(args[5])
  local offset = math.min(tonumber(args[2]), OFFSET_MAX - 1)
  local last = last_of(key)
  if not last then return {'old', '', 0} end
  local reply = {'ok', table.concat({last.epoch, number(last.offset), number(last.start), last.past}, ' '), 0}
  local oldest = age > 0 and now() - age or 0
  local after = locate(key, epoch, offset)
  if not after then
    reply[1], after = 'old', 0
  end
  while true do
    local batch = redis.call('XRANGE', key, number(after + 1), '+', 'COUNT', 64)
    for _, raw in ipairs(batch) do
      local e = parse(raw)
      if not e.payload or e.ms < oldest then
        -- What was before it can't be served without it.
        reply = {'old', reply[2], 0}
      elseif #reply - 3 >= 3 * limit or room <= 0 then
        reply[3] = 1
        return reply
      else
        reply[#reply + 1], reply[#reply + 2], reply[#reply + 3] = number(e.offset), e.head, e.payload
        room = room - #e.payload
      end
      after = e.offset
    end
    if #batch < 64 then return reply end
  end
end

redis.register_function('wsfleet_publish', publish)
redis.register_function('wsfleet_anchor', anchor)
redis.register_function{function_name = 'wsfleet_history', callback = history, flags = {'no-writes'}}
