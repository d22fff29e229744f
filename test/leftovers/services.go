package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	tagging "github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi"
	tagtypes "github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi/types"
)

// wanted says whether tags are the fleet's, and the cluster's if one was named.
func wanted(tags map[string]string, cluster string) bool {
	return tags["Project"] == project && (cluster == "" || tags["Cluster"] == cluster)
}

// groups lists autoscaling groups.
func groups(ctx context.Context, cfg aws.Config, cluster string) ([]Thing, error) {
	var things []Thing
	pages := autoscaling.NewDescribeAutoScalingGroupsPaginator(autoscaling.NewFromConfig(cfg), &autoscaling.DescribeAutoScalingGroupsInput{
		Filters: []astypes.Filter{{Name: aws.String("tag:Project"), Values: []string{project}}},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, g := range page.AutoScalingGroups {
			tags := map[string]string{}
			for _, t := range g.Tags {
				tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
			}
			if wanted(tags, cluster) {
				things = append(things, Thing{"autoscaling:autoScalingGroup", aws.ToString(g.AutoScalingGroupName)})
			}
		}
	}
	return things, nil
}

// otherServices lists what the tagging API knows of services that are not asked themselves: balancers, schedules, buckets,
// and what may come. Of EC2 it would also tell what is gone.
func otherServices(ctx context.Context, cfg aws.Config, cluster string) ([]Thing, error) {
	filters := []tagtypes.TagFilter{{Key: aws.String("Project"), Values: []string{project}}}
	if cluster != "" {
		filters = append(filters, tagtypes.TagFilter{Key: aws.String("Cluster"), Values: []string{cluster}})
	}
	var things []Thing
	pages := tagging.NewGetResourcesPaginator(tagging.NewFromConfig(cfg), &tagging.GetResourcesInput{TagFilters: filters})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, m := range page.ResourceTagMappingList {
			service, resource, err := splitARN(aws.ToString(m.ResourceARN))
			if err != nil {
				return nil, err
			}
			if service != "ec2" && service != "autoscaling" && service != "iam" {
				things = append(things, Thing{service + ":" + resource, aws.ToString(m.ResourceARN)})
			}
		}
	}
	return things, nil
}

// splitARN returns the service of an ARN and the type of its resource, such as elasticloadbalancing and loadbalancer.
func splitARN(arn string) (service, resource string, err error) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" {
		return "", "", fmt.Errorf("%q is no ARN", arn)
	}
	end := strings.IndexAny(parts[5], ":/")
	if end < 0 {
		return parts[2], parts[5], nil
	}
	return parts[2], parts[5][:end], nil
}

// roles lists IAM roles and instance profiles. The lists come without tags, so that each must be asked for; the names
// of the fleet's start with their cluster's, but whose those are only the tags say.
func roles(ctx context.Context, cfg aws.Config, cluster string) ([]Thing, error) {
	client := iam.NewFromConfig(cfg)
	var things []Thing
	rolePages := iam.NewListRolesPaginator(client, &iam.ListRolesInput{})
	for rolePages.HasMorePages() {
		page, err := rolePages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, r := range page.Roles {
			out, err := client.ListRoleTags(ctx, &iam.ListRoleTagsInput{RoleName: r.RoleName})
			if err != nil {
				return nil, err
			}
			if wanted(iamTags(out.Tags), cluster) {
				things = append(things, Thing{"iam:role", aws.ToString(r.RoleName)})
			}
		}
	}
	profilePages := iam.NewListInstanceProfilesPaginator(client, &iam.ListInstanceProfilesInput{})
	for profilePages.HasMorePages() {
		page, err := profilePages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, p := range page.InstanceProfiles {
			out, err := client.GetInstanceProfile(ctx, &iam.GetInstanceProfileInput{InstanceProfileName: p.InstanceProfileName})
			if err != nil {
				return nil, err
			}
			if wanted(iamTags(out.InstanceProfile.Tags), cluster) {
				things = append(things, Thing{"iam:instance-profile", aws.ToString(p.InstanceProfileName)})
			}
		}
	}
	return things, nil
}

func iamTags(list []iamtypes.Tag) map[string]string {
	tags := map[string]string{}
	for _, t := range list {
		tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return tags
}
