package cluster

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// Host is an instance of the fleet.
type Host struct {
	ID, Role, Address string
}

// findHosts asks the EC2 API, by tags, as Ansible and Prometheus do.
func (f *Fleet) findHosts(ctx context.Context) error {
	cfg, err := config.LoadDefaultConfig(ctx,
		config.WithRegion(f.getenv("AWS_REGION")),
		config.WithBaseEndpoint(f.getenv("AWS_ENDPOINT_URL")),
		config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider(
			f.getenv("AWS_ACCESS_KEY_ID"), f.getenv("AWS_SECRET_ACCESS_KEY"), "")))
	if err != nil {
		return err
	}
	filter := func(name, value string) types.Filter {
		return types.Filter{Name: &name, Values: []string{value}}
	}
	pages := ec2.NewDescribeInstancesPaginator(ec2.NewFromConfig(cfg), &ec2.DescribeInstancesInput{Filters: []types.Filter{
		filter("tag:Project", "wsfleet"), filter("tag:Cluster", "lab"), filter("instance-state-name", "running"),
	}})
	f.hosts = nil
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("ask the EC2 API for the hosts: %w", err)
		}
		for _, r := range page.Reservations {
			for _, i := range r.Instances {
				f.hosts = append(f.hosts, newHost(i))
			}
		}
	}
	if len(f.hosts) == 0 {
		return errors.New("the EC2 API knows no host of this fleet")
	}
	slices.SortFunc(f.hosts, func(a, b Host) int {
		return cmp.Or(cmp.Compare(a.Role, b.Role), cmp.Compare(a.Address, b.Address))
	})
	return nil
}

func newHost(i types.Instance) Host {
	h := Host{ID: *i.InstanceId}
	if i.PrivateIpAddress != nil {
		h.Address = *i.PrivateIpAddress
	}
	for _, tag := range i.Tags {
		if *tag.Key == "Role" {
			h.Role = *tag.Value
		}
	}
	return h
}

// role returns the hosts of a role.
func (f *Fleet) role(name string) []Host {
	var list []Host
	for _, h := range f.hosts {
		if h.Role == name {
			list = append(list, h)
		}
	}
	return list
}
