package scenario

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
)

func parse(t *testing.T, text string) Scenario {
	t.Helper()
	f, err := Parse("s.yaml", []byte(text))
	require.NoError(t, err)
	f.Scenario.Complete()
	require.NoError(t, f.Scenario.Validate())
	return f.Scenario
}

const whole = `
name: all of it
targets: [ws://127.0.0.1:8765, ws://127.0.0.1:8775/ws]
connections: 1e4
connect: {rate: 500.5, schedule: poisson}
timeout: 5s
headers: {Origin: https://example.com, X-Shard: "7"}
subprotocol: chat, news
token_file: /run/token
token_in: query
ca: /etc/ca.pem
resume: true
reconnect: {within: 1s, elsewhere: true}
publish: {urls: [http://127.0.0.1:8766/publish], password_file: /run/secret}
phases:
  - echo: {rate: 2000, for: 30s, schedule: poisson, size: 1_000, message: "hi {{.}}", reply: "{{.}}", binary: true}
    hold:
  - broadcast: {count: 7, rate: 2, size: 256, channels: 3, late: 1s}
    churn: {for: 10s, rate: 50}
  - storm: {share: 0.5, within: 2s}
  - stall: {expect_closed: false}
  - echo: {message_file: messages.txt}
close: {how: abort}
seed: 18446744073709551615
expect: ["connected == 10000", echo.p99 < 250ms]
`

func TestEveryKeyIsRead(t *testing.T) {
	no := false
	require.Equal(t, Scenario{
		Name:        "all of it",
		Targets:     []string{"ws://127.0.0.1:8765", "ws://127.0.0.1:8775/ws"},
		Connections: 10_000,
		Connect:     Connect{Rate: 500.5, Schedule: Poisson},
		Timeout:     5 * time.Second,
		Client: Client{
			Headers:     map[string]string{"Origin": "https://example.com", "X-Shard": "7"},
			Subprotocol: "chat, news", TokenFile: "/run/token", TokenIn: InQuery, CA: "/etc/ca.pem", Resume: true,
		},
		Reconnect: &Reconnect{Comeback{time.Second, time.Second, 30 * time.Second, 2 * time.Minute}, true},
		Publish:   Publish{[]string{"http://127.0.0.1:8766/publish"}, "/run/secret"},
		Phases: []Phase{
			{
				Echo: &Echo{Rate: 2000, For: 30 * time.Second, Schedule: Poisson, Size: 1000, Message: "hi {{.}}", Reply: "{{.}}", Binary: true},
				Hold: &Hold{},
			},
			{
				Broadcast: &Broadcast{Count: 7, Rate: 2, Size: 256, Channels: 3, Late: time.Second},
				Churn:     &Churn{Rate: 50, For: 10 * time.Second, Schedule: Even},
			},
			{Storm: &Storm{0.5, Comeback{2 * time.Second, time.Second, 30 * time.Second, 2 * time.Minute}}},
			{Stall: &Stall{0.01, 20 * time.Second, &no}},
			{Echo: &Echo{Rate: 500.5, Rounds: 1, Schedule: Even, Size: 128, Message: "{{.}}", MessageFile: "messages.txt", Reply: "Server received: {{.}}"}},
		},
		Close:  Close{Abort, 5005},
		Seed:   1<<64 - 1,
		Expect: []string{"connected == 10000", "echo.p99 < 250ms"},
	}, parse(t, whole))
}

func TestPhasesAreNamedByTheirActivities(t *testing.T) {
	s := parse(t, whole)
	names := []string{}
	for _, p := range s.Phases {
		names = append(names, p.Name())
	}
	require.Equal(t, []string{"echo+hold", "broadcast+churn", "storm", "stall", "echo"}, names)
}

func TestStepsTakeThePlaceOfTheRate(t *testing.T) {
	s := parse(t, "connect: {steps: [{rate: 10, for: 2s}, {rate: 100}]}")
	require.Equal(t, 21*time.Millisecond+2*time.Second, s.Connect.Profile().At(22.1).Round(time.Millisecond))
	require.Equal(t, 1000.0, s.Close.Rate)
}

func TestWhatIsWrittenIsReadBack(t *testing.T) {
	for _, text := range []string{whole, "{}", "connect: {steps: [{rate: 10, for: 2s}, {rate: 100}]}"} {
		s := parse(t, text)
		b, err := yaml.Marshal(&s)
		require.NoError(t, err)
		require.Equal(t, s, parse(t, string(b)), "%s", b)
	}
}

func TestErrorsNameLineAndKey(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", "s.yaml:1: the file is empty"},
		{"name: x\n\tconnections: 3", "s.yaml:2: not YAML: "},
		{"- hold", "s.yaml:1: want keys and values"},
		{"name: x\n---\nname: y", "s.yaml:2: want one document"},
		{"name: x\nconections: 3", "s.yaml:2: conections: unknown key, did you mean connections?"},
		{"phases:\n  - eco: {}", "s.yaml:2: phases[0].eco: unknown key, did you mean echo?"},
		{"phases:\n  - flood: {}", "s.yaml:2: phases[0].flood: unknown key, want one of echo, broadcast,"},
		{"phases:\n  - echo:\n      size: 100\n      rat: 7", "s.yaml:4: phases[0].echo.rat: unknown key, did you mean rate?"},
		{"headers:\n  Origin: a\n  X.Y: [1]", "s.yaml:3: headers.X.Y: want a single value"},
		{"header: {}", "s.yaml:1: header: unknown key, did you mean headers?"},
		{"connections: 3\nname: x\nconnections: 4", "s.yaml:3: connections: is given twice"},
		{"connections: many", `s.yaml:1: connections: want a whole number (got "many")`},
		{"connections: 1.5", `want a whole number (got "1.5")`},
		{"connections: [1]", `s.yaml:1: connections: want a single value`},
		{"connections:", `s.yaml:1: connections: want a single value`},
		{"\ntimeout: 30", `s.yaml:2: timeout: want a duration such as 30s or 500ms (got "30")`},
		{"connect: {rate: fast}", `connect.rate: want a number (got "fast")`},
		{"connect: 1000", `s.yaml:1: connect: want keys and values (got "1000")`},
		{"targets: ws://x", `s.yaml:1: targets: want a list (got "ws://x")`},
		{"seed: -1", `seed: want a whole number from 0 on (got "-1")`},
		{"phases: [{stall: {expect_closed: perhaps}}]", `want true or false (got "perhaps")`},
		{"x: 1\n\n<<: {a: 1}", "s.yaml:1: x: unknown key"},

		{"connections: 0", "s.yaml:1: connections: want 1 to 100000000 (got 0)"},
		{"connect: {rate: .nan}", "connect.rate: want a number"},
		{"connect: {rate: NaN}", "connect.rate: want 0.001 to 10000000 per second (got NaN)"},
		{"connect: {rate: 0}", "connect.rate: want 0.001 to"},
		{"connect:\n  rate: 5\n  steps: [{rate: 1}]", "s.yaml:2: connect.rate: want it or steps, not both (got 5)"},
		{"connect:\n  steps:\n    - {rate: 1}\n    - {rate: 2}", "s.yaml:3: connect.steps[0].for: want 1ms to 8760h (got 0s)"},
		{"connect: {schedule: odd}", `connect.schedule: want even or poisson (got "odd")`},
		{"timeout: 1ms", "timeout: want 100ms to 1h (got 1ms)"},
		{"close: {how: softly}", `close.how: want handshake or abort (got "softly")`},
		{"phases:\n  - {}", "s.yaml:2: phases[0]: want at least one of echo,"},
		{"phases:\n  - hold: {}\n  - echo:\n      rounds: 2\n      for: 3s", "s.yaml:5: phases[1].echo.for: want it or rounds, not both (got 3s)"},
		{"phases: [{echo: {size: 10}}]", "phases[0].echo.size: want 64 to 524288 (got 10)"},
		{"phases: [{echo: {reply: pong}}]", `phases[0].echo.reply: want the message once, as {{.}}, or what is unique in it, as {{.Unique}} (got "pong")`},
		{`phases: [{echo: {message: "{{.}}{{.}}"}}]`, "phases[0].echo.message: want the unique text at most once, as {{.}} (got"},
		{"phases: [{echo: {message: ping, message_file: x}}]", `phases[0].echo.message_file: phases.echo.message is given too (got "x")`},
		{"headers:\n  X Y: z", `s.yaml:2: headers.X Y: the name may have`},
		{"headers:\n  X-A: z\n  Upgrade: h2c", `s.yaml:3: headers.Upgrade: wsload sets it (got "Upgrade: h2c")`},
		{"headers:\n  authorization: z\ntoken: t", `s.yaml:2: headers.authorization: token sets it, or want token_in query`},
		{"subprotocol: a b", `subprotocol: want names of letters`},
		{"token: t\ntoken_file: f", `s.yaml:2: token_file: token is given too (got "f")`},
		{"token_in: cookie", `token_in: want header, query or subprotocol (got "cookie")`},
		{"ca: f\ninsecure: true", `s.yaml:1: ca: insecure takes any certificate (got "f")`},
		{"phases: [{storm: {share: 1.5}}]", "phases[0].storm.share: want a share above 0, at most 1 (got 1.5)"},
		{"phases: [{storm: {within: 3m}}]", "phases[0].storm.give_up: want 3m0s to 8760h (got 2m0s)"},
		{"reconnect: {max_backoff: 1ms}", "s.yaml:1: reconnect.max_backoff: want 1s to 8760h (got 1ms)"},
		{"targets: ['ws://x/?since=a:1']\nresume: true", "s.yaml:2: resume: it sets since=, which a target has too (got \"ws://x/?since=a:1\")"},
		{"phases: [{churn: {rate: -1}}]", "phases[0].churn.rate: want 0.001 to"},
		{"phases: [{stall: {for: 0s}}]", "phases[0].stall.for: want 1ms to"},
		{"phases: [{broadcast: {}}]", "phases[0].broadcast.count: want publish.urls too, to say where (got 1)"},
		{"publish: {urls: [http://x]}", "publish.urls: want phases.broadcast.count too, to say how many"},
		{
			"publish: {urls: [http://x]}\nphases:\n  - broadcast: {channels: 2}\n  - broadcast: {channels: 3}",
			"s.yaml:3: phases[0].broadcast.channels: want the same in all phases",
		},
	} {
		f, err := Parse("s.yaml", []byte(c.text))
		if err == nil {
			f.Scenario.Complete()
			err = f.Explain(f.Scenario.Validate())
		}
		require.ErrorContains(t, err, c.want, c.text)
	}
	_, err := Load(filepath.Join(t.TempDir(), "none.yaml"))
	require.ErrorContains(t, err, `none.yaml": no such file or directory`)
}

func TestProblemsOfFlagsNameTheFlag(t *testing.T) {
	flags := map[string]string{"phases.echo.size": "echo-size", "publish.urls": "publish"}
	require.Equal(t, "-echo-size 10: want 64 to 100", (&Problem{"phases[3].echo.size", "10", "want 64 to 100"}).AsFlag(flags))
	require.Equal(t, "close.how: want -publish", (&Problem{"close.how", "", "want {publish.urls}"}).AsFlag(flags))
}

func TestDistance(t *testing.T) {
	require.Equal(t, 3, distance("kitten", "sitting"))
	require.Equal(t, 4, distance("", "echo"))
	require.Zero(t, distance("echo", "echo"))
}

func TestTheExampleInTheDocumentationIsValid(t *testing.T) {
	b, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	_, rest, found := strings.Cut(string(b), "```yaml\n")
	require.True(t, found)
	text, _, _ := strings.Cut(rest, "```")
	s := parse(t, text)
	require.Len(t, s.Phases, 4)
}

// The examples that come with wsload.
func TestExamplesAreValid(t *testing.T) {
	files, err := filepath.Glob("../scenarios/*.yaml")
	require.NoError(t, err)
	require.Len(t, files, 9)
	for _, name := range files {
		b, err := os.ReadFile(name)
		require.NoError(t, err)
		s := parse(t, string(b))
		require.Equal(t, filepath.Base(name), s.Name+".yaml")
	}
}
