package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/smithy-go"
)

// ec2Things asks for tags, not for things: one call knows every type there is, from volumes to endpoints.
func ec2Things(ctx context.Context, cfg aws.Config, cluster string) ([]Thing, error) {
	client := ec2.NewFromConfig(cfg)
	tagged, err := tagged(ctx, client, "Project", project)
	if err != nil {
		return nil, err
	}
	if cluster != "" {
		of, err := taggedIDs(ctx, client, "Cluster", cluster)
		if err != nil {
			return nil, err
		}
		tagged = keep(tagged, func(t Thing) bool { return of[t.ID] })
	}
	var left []Thing
	for _, t := range tagged {
		gone, err := gone(ctx, client, t)
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", t.Type, t.ID, err)
		}
		if !gone {
			left = append(left, t)
		}
	}
	return left, nil
}

// tagged lists what carries a tag.
func tagged(ctx context.Context, client *ec2.Client, key, value string) ([]Thing, error) {
	var things []Thing
	pages := ec2.NewDescribeTagsPaginator(client, &ec2.DescribeTagsInput{Filters: []types.Filter{
		{Name: aws.String("key"), Values: []string{key}}, {Name: aws.String("value"), Values: []string{value}},
	}})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, t := range page.Tags {
			things = append(things, Thing{Type: string(t.ResourceType), ID: aws.ToString(t.ResourceId)})
		}
	}
	return things, nil
}

func taggedIDs(ctx context.Context, client *ec2.Client, key, value string) (map[string]bool, error) {
	things, err := tagged(ctx, client, key, value)
	ids := map[string]bool{}
	for _, t := range things {
		ids[t.ID] = true
	}
	return ids, err
}

// gone says whether the thing is only remembered: EC2 shows instances and NAT gateways, tags included, for an hour after
// their end.
func gone(ctx context.Context, client *ec2.Client, t Thing) (bool, error) {
	switch types.ResourceType(t.Type) {
	case types.ResourceTypeInstance:
		out, err := client.DescribeInstances(ctx, &ec2.DescribeInstancesInput{InstanceIds: []string{t.ID}})
		if notFound(err) {
			return true, nil
		}
		if err != nil {
			return false, err
		}
		for _, r := range out.Reservations {
			for _, i := range r.Instances {
				if i.State.Name != types.InstanceStateNameTerminated {
					return false, nil
				}
			}
		}
		return true, nil
	case types.ResourceTypeNatgateway:
		out, err := client.DescribeNatGateways(ctx, &ec2.DescribeNatGatewaysInput{NatGatewayIds: []string{t.ID}})
		if notFound(err) {
			return true, nil
		}
		if err != nil {
			return false, err
		}
		for _, n := range out.NatGateways {
			if n.State != types.NatGatewayStateDeleted {
				return false, nil
			}
		}
		return true, nil
	case types.ResourceTypeSpotInstancesRequest:
		out, err := client.DescribeSpotInstanceRequests(ctx, &ec2.DescribeSpotInstanceRequestsInput{SpotInstanceRequestIds: []string{t.ID}})
		if notFound(err) {
			return true, nil
		}
		if err != nil {
			return false, err
		}
		for _, r := range out.SpotInstanceRequests {
			if r.State == types.SpotInstanceStateOpen || r.State == types.SpotInstanceStateActive {
				return false, nil
			}
		}
		return true, nil
	}
	return false, nil
}

// notFound says whether EC2 has forgotten the thing since it listed its tags.
func notFound(err error) bool {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return false
	}
	switch api.ErrorCode() {
	case "InvalidInstanceID.NotFound", "NatGatewayNotFound", "InvalidSpotInstanceRequestID.NotFound":
		return true
	}
	return false
}

func keep(things []Thing, wanted func(Thing) bool) []Thing {
	var kept []Thing
	for _, t := range things {
		if wanted(t) {
			kept = append(kept, t)
		}
	}
	return kept
}
