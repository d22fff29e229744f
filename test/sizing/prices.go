package sizing

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

//go:embed prices.json
var embeddedPrices []byte

// Prices is the table of what can be bought: types of hosts, and what AWS asks for them and for the rest.
type Prices struct {
	Region string              `json:"region"`
	AsOf   string              `json:"as_of"`
	Source string              `json:"source"`
	Types  map[string]HostType `json:"types"`

	BalancerHour     float64 `json:"balancer_usd_hour"`      // Network Load Balancer
	BalancerUnitHour float64 `json:"balancer_unit_usd_hour"` // its capacity unit
	AddressHour      float64 `json:"address_usd_hour"`       // public IPv4
	NATHour          float64 `json:"nat_usd_hour"`           // NAT gateway
	DiskGBMonth      float64 `json:"disk_usd_gb_month"`
	ZoneGB           float64 `json:"zone_usd_gb"` // between zones, asked for at each end
	Internet         []Tier  `json:"internet"`    // out to clients, in rising order
}

// HostType is what one host has.
type HostType struct {
	Cores     float64 `json:"cores"`
	Baseline  float64 `json:"baseline,omitempty"` // share of its cores that a burstable type may use for ever; 0 for all
	MemoryGiB float64 `json:"memory_gib"`
	Gbit      float64 `json:"gbit"`                // a second, each way, for ever
	Packets   float64 `json:"packets_s,omitempty"` // a second, both ways; 0 if nobody says
	Addresses float64 `json:"addresses"`           // IPv4 addresses of an interface
	USDHour   float64 `json:"usd_hour"`
}

// Tier is the price of traffic up to so much a month.
type Tier struct {
	ToGBMonth float64 `json:"to_gb_month,omitempty"` // 0 for the last one, without an end
	USDGB     float64 `json:"usd_gb"`
}

// DefaultPrices are those in prices.json.
func DefaultPrices() Prices {
	p, err := ParsePrices(embeddedPrices)
	if err != nil {
		panic(err) // the table is part of the program, and a test reads it
	}
	return p
}

// ParsePrices reads a table as prices.json has it.
func ParsePrices(text []byte) (Prices, error) {
	var p Prices
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		return p, fmt.Errorf("prices: %w", err)
	}
	for _, name := range slices.Sorted(maps.Keys(p.Types)) {
		t := p.Types[name]
		if t.Cores <= 0 || t.MemoryGiB <= 0 || t.Gbit <= 0 || t.Addresses < 1 {
			return p, fmt.Errorf("prices: types.%s: cores, memory_gib, gbit and addresses must be above 0, got %+v", name, t)
		}
		if t.Baseline < 0 || t.Baseline > 1 {
			return p, fmt.Errorf("prices: types.%s.baseline must be from 0 to 1, got %v", name, t.Baseline)
		}
	}
	return p, p.checkInternet()
}

// checkInternet refuses tiers that do not rise to one without an end.
func (p *Prices) checkInternet() error {
	below := 0.0
	for i, t := range p.Internet {
		last := i == len(p.Internet)-1
		if last != (t.ToGBMonth == 0) || !last && t.ToGBMonth <= below {
			return fmt.Errorf("prices: internet[%d].to_gb_month must be above %v, and left out in the last one only; got %v", i, below, t.ToGBMonth)
		}
		below = t.ToGBMonth
	}
	return nil
}

// host returns the type that a flag names.
func (p *Prices) host(flag, name string) (HostType, error) {
	t, ok := p.Types[name]
	if !ok {
		return t, fmt.Errorf("-%s: no type %q in the table of prices; it has %s", flag, name, strings.Join(slices.Sorted(maps.Keys(p.Types)), ", "))
	}
	return t, nil
}

// internetMonth is the price of so many GB out to clients in a month.
func (p *Prices) internetMonth(gb float64) float64 {
	sum, below := 0.0, 0.0
	for _, t := range p.Internet {
		to := gb
		if t.ToGBMonth > 0 {
			to = min(gb, t.ToGBMonth)
		}
		sum += max(0, to-below) * t.USDGB
		below = max(below, to)
	}
	return sum
}
