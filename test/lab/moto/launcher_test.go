package moto

import (
	"net/netip"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/test/tcptest"
)

// startMoto runs the lab's moto for the length of the test.
func startMoto(t *testing.T) *ec2.Client {
	t.Helper()
	inst, err := Find(t.Context())
	require.NoError(t, err)
	port := tcptest.FreePort(t)
	dir := t.TempDir()
	s, err := Start(t.Context(), inst, port, dir, filepath.Join(dir, "log"))
	require.NoError(t, err)
	t.Cleanup(s.Stop)
	return ec2.New(ec2.Options{
		Region: "eu-central-1", BaseEndpoint: aws.String(s.URL()), Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	})
}

// What launcher.py mends, as a client of the API sees it.
func TestLauncherMends(t *testing.T) {
	c := startMoto(t)
	ctx := t.Context()

	t.Run("a template's own tags are not what it launches", func(t *testing.T) {
		tags := []types.Tag{{Key: aws.String("Project"), Value: aws.String("x")}}
		_, err := c.CreateLaunchTemplate(ctx, &ec2.CreateLaunchTemplateInput{
			LaunchTemplateName: aws.String("lt"), LaunchTemplateData: &types.RequestLaunchTemplateData{InstanceType: "t3.small"},
			TagSpecifications: []types.TagSpecification{{ResourceType: types.ResourceTypeLaunchTemplate, Tags: tags}},
		})
		require.NoError(t, err)
		out, err := c.DescribeLaunchTemplateVersions(ctx, &ec2.DescribeLaunchTemplateVersionsInput{LaunchTemplateName: aws.String("lt")})
		require.NoError(t, err)
		require.Empty(t, out.LaunchTemplateVersions[0].LaunchTemplateData.TagSpecifications)
	})
	t.Run("a later version with user data launches", func(t *testing.T) {
		_, err := c.CreateLaunchTemplateVersion(ctx, &ec2.CreateLaunchTemplateVersionInput{
			LaunchTemplateName: aws.String("lt"),
			LaunchTemplateData: &types.RequestLaunchTemplateData{InstanceType: "t3.small", UserData: aws.String("IyEvYmluL3NoCg==")},
		})
		require.NoError(t, err)
		_, err = c.RunInstances(ctx, &ec2.RunInstancesInput{
			MinCount: aws.Int32(1), MaxCount: aws.Int32(1), ImageId: aws.String("ami-1"),
			LaunchTemplate: &types.LaunchTemplateSpecification{LaunchTemplateName: aws.String("lt"), Version: aws.String("2")},
		})
		require.NoError(t, err)
	})
	t.Run("an instance has the secondary addresses it was launched with", func(t *testing.T) {
		subnets, err := c.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{})
		require.NoError(t, err)
		subnet := subnets.Subnets[0]
		prefix := netip.MustParsePrefix(*subnet.CidrBlock)
		want := prefix.Addr().Next().Next().Next().Next().Next().String()
		run, err := c.RunInstances(ctx, &ec2.RunInstancesInput{
			MinCount: aws.Int32(1), MaxCount: aws.Int32(1), ImageId: aws.String("ami-1"),
			NetworkInterfaces: []types.InstanceNetworkInterfaceSpecification{{
				DeviceIndex: aws.Int32(0), SubnetId: subnet.SubnetId,
				PrivateIpAddresses: []types.PrivateIpAddressSpecification{{Primary: aws.Bool(false), PrivateIpAddress: &want}},
			}},
		})
		require.NoError(t, err)
		out, err := c.DescribeInstances(ctx, &ec2.DescribeInstancesInput{InstanceIds: []string{*run.Instances[0].InstanceId}})
		require.NoError(t, err)
		addresses := out.Reservations[0].Instances[0].NetworkInterfaces[0].PrivateIpAddresses
		require.Len(t, addresses, 2)
		require.Equal(t, want, *addresses[1].PrivateIpAddress)
		require.NotEqual(t, want, *addresses[0].PrivateIpAddress)
	})
	t.Run("a rule can be made again", func(t *testing.T) {
		g, err := c.CreateSecurityGroup(ctx, &ec2.CreateSecurityGroupInput{GroupName: aws.String("g"), Description: aws.String("d")})
		require.NoError(t, err)
		rule := []types.IpPermission{{
			IpProtocol: aws.String("tcp"), FromPort: aws.Int32(22), ToPort: aws.Int32(22),
			IpRanges: []types.IpRange{{CidrIp: aws.String("10.0.0.0/8")}},
		}}
		for range 2 {
			out, err := c.AuthorizeSecurityGroupIngress(ctx, &ec2.AuthorizeSecurityGroupIngressInput{GroupId: g.GroupId, IpPermissions: rule})
			require.NoError(t, err)
			require.Len(t, out.SecurityGroupRules, 1)
		}
		groups, err := c.DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{GroupIds: []string{*g.GroupId}})
		require.NoError(t, err)
		require.Len(t, groups.SecurityGroups[0].IpPermissions, 1)
	})
}
