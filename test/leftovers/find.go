package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
)

// project is the value of the tag Project that everything of the fleet carries.
const project = "wsfleet"

// Thing is something that is left.
type Thing struct {
	Type string // as AWS calls it, such as instance or autoscaling:autoScalingGroup
	ID   string // its id, its name, or its ARN, whichever the API that listed it has
}

// finder lists what one API knows to carry the tags. cluster may be empty: any.
type finder struct {
	name string
	list func(ctx context.Context, cfg aws.Config, cluster string) ([]Thing, error)
}

// regional are the APIs to ask in every region: those that keep tags of their own, and then the one that knows all services
// but those, so that what somebody adds to Terraform one day is found too.
var regional = []finder{
	{"ec2", ec2Things},
	{"autoscaling", groups},
	{"resource groups tagging", otherServices},
}

// global are the APIs to ask once an account.
var global = []finder{{"iam", roles}}

// findIn lists what is left in the region of cfg, sorted; withGlobal adds what belongs to no region.
func findIn(ctx context.Context, cfg aws.Config, cluster string, withGlobal bool) ([]Thing, error) {
	finders := regional
	if withGlobal {
		finders = slices.Concat(regional, global)
	}
	var all []Thing
	for _, f := range finders {
		found, err := f.list(ctx, cfg, cluster)
		if err != nil {
			return nil, fmt.Errorf("ask %s: %w", f.name, err)
		}
		all = append(all, found...)
	}
	slices.SortFunc(all, func(a, b Thing) int { return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.ID, b.ID)) })
	return slices.Compact(all), nil
}

// regionsOf makes a list of regions of what was asked for.
func regionsOf(ctx context.Context, wanted string) ([]string, error) {
	if wanted != "all" {
		names := strings.FieldsFunc(wanted, func(r rune) bool { return r == ',' || r == ' ' })
		if len(names) == 0 {
			return nil, fmt.Errorf("-regions %q: want names with commas between them, or all", wanted)
		}
		return names, nil
	}
	cfg, err := config.LoadDefaultConfig(ctx, config.WithDefaultRegion("us-east-1"))
	if err != nil {
		return nil, fmt.Errorf("AWS configuration: %w", err)
	}
	out, err := ec2.NewFromConfig(cfg).DescribeRegions(ctx, &ec2.DescribeRegionsInput{})
	if err != nil {
		return nil, fmt.Errorf("list regions: %w", err)
	}
	var names []string
	for _, r := range out.Regions {
		names = append(names, aws.ToString(r.RegionName))
	}
	slices.Sort(names)
	return names, nil
}
