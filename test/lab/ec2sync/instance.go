// Package ec2sync keeps this machine in step with EC2: what the API says runs is booted, what it no longer names is ended.
package ec2sync

import (
	"context"
	"encoding/base64"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/wsfleet/wsfleet/test/lab/network"
)

// Region is the one region of the lab.
const Region = "eu-central-1"

// The lab's API accepts any credentials; these are in the environment that `lab env` prints.
const (
	AccessKey = "test"
	SecretKey = "test"
)

// Instance is a running instance as the API describes it.
type Instance struct {
	types.Instance
	ID        string
	Address   netip.Addr
	Secondary []netip.Addr
	MAC       net.HardwareAddr
	Tags      map[string]string
	Account   string
	Role      string // of IAM; an instance may get its profile after it has appeared
}

// Details are what one more request each tells, asked once when an instance appears.
type Details struct {
	VPC        network.VPC
	SubnetCIDR string
	PublicKey  string
	UserData   []byte
}

// Cloud reads from the AWS API.
type Cloud struct {
	ec2 *ec2.Client
	iam *iam.Client

	roles map[string]string // by ARN of the instance profile; used by Running only
}

// NewCloud returns a reader of the API at the endpoint.
func NewCloud(endpoint string) *Cloud {
	provider := credentials.NewStaticCredentialsProvider(AccessKey, SecretKey, "")
	return &Cloud{
		ec2: ec2.New(ec2.Options{Region: Region, BaseEndpoint: &endpoint, Credentials: provider}),
		iam: iam.New(iam.Options{Region: Region, BaseEndpoint: &endpoint, Credentials: provider}),

		roles: map[string]string{},
	}
}

// Running lists the instances that should be hosts now. It is called by one goroutine.
func (c *Cloud) Running(ctx context.Context) (map[string]Instance, error) {
	found := map[string]Instance{}
	pages := ec2.NewDescribeInstancesPaginator(c.ec2, &ec2.DescribeInstancesInput{
		Filters: []types.Filter{{Name: aws.String("instance-state-name"), Values: []string{"pending", "running"}}},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, r := range page.Reservations {
			for _, i := range r.Instances {
				inst, err := parse(i)
				if err != nil {
					return nil, err
				}
				inst.Account = aws.ToString(r.OwnerId)
				if inst.Role, err = c.role(ctx, i.IamInstanceProfile); err != nil {
					return nil, err
				}
				found[inst.ID] = inst
			}
		}
	}
	return found, nil
}

func parse(i types.Instance) (Instance, error) {
	inst := Instance{Instance: i, ID: aws.ToString(i.InstanceId), Tags: map[string]string{}}
	var err error
	if inst.Address, err = netip.ParseAddr(aws.ToString(i.PrivateIpAddress)); err != nil {
		return inst, fmt.Errorf("instance %s: private address %q: %w", inst.ID, aws.ToString(i.PrivateIpAddress), err)
	}
	for _, t := range i.Tags {
		inst.Tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	if len(i.NetworkInterfaces) == 0 {
		return inst, nil
	}
	eni := i.NetworkInterfaces[0]
	if inst.MAC, err = net.ParseMAC(aws.ToString(eni.MacAddress)); err != nil {
		return inst, fmt.Errorf("instance %s: %w", inst.ID, err)
	}
	for _, a := range eni.PrivateIpAddresses {
		ip, err := netip.ParseAddr(aws.ToString(a.PrivateIpAddress))
		if err != nil {
			return inst, fmt.Errorf("instance %s: secondary address: %w", inst.ID, err)
		}
		if ip != inst.Address {
			inst.Secondary = append(inst.Secondary, ip)
		}
	}
	return inst, nil
}

// Details asks for what a host needs beyond its description.
func (c *Cloud) Details(ctx context.Context, i Instance) (Details, error) {
	var d Details
	if i.VpcId == nil {
		return d, fmt.Errorf("instance %s is in no VPC", i.ID)
	}
	vpcs, err := c.ec2.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{VpcIds: []string{*i.VpcId}})
	if err != nil {
		return d, err
	}
	if len(vpcs.Vpcs) != 1 {
		return d, fmt.Errorf("VPC %s of instance %s is not there", *i.VpcId, i.ID)
	}
	d.VPC.ID = *i.VpcId
	if d.VPC.CIDR, err = netip.ParsePrefix(aws.ToString(vpcs.Vpcs[0].CidrBlock)); err != nil {
		return d, fmt.Errorf("VPC %s: %w", d.VPC.ID, err)
	}
	if !d.VPC.CIDR.Contains(i.Address) {
		return d, fmt.Errorf("instance %s has the address %s, which is not in its VPC %s (%s)", i.ID, i.Address, d.VPC.ID, d.VPC.CIDR)
	}
	subnets, err := c.ec2.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{SubnetIds: []string{aws.ToString(i.SubnetId)}})
	if err != nil {
		return d, err
	}
	for _, s := range subnets.Subnets {
		d.SubnetCIDR = aws.ToString(s.CidrBlock)
	}
	if d.PublicKey, err = c.publicKey(ctx, i.KeyName); err != nil {
		return d, err
	}
	if d.UserData, err = c.userData(ctx, i.ID); err != nil {
		return d, err
	}
	return d, nil
}

func (c *Cloud) publicKey(ctx context.Context, name *string) (string, error) {
	if aws.ToString(name) == "" {
		return "", nil // an instance without a key pair lets nobody in, as in AWS
	}
	keys, err := c.ec2.DescribeKeyPairs(ctx, &ec2.DescribeKeyPairsInput{KeyNames: []string{*name}, IncludePublicKey: aws.Bool(true)})
	if err != nil {
		return "", err
	}
	for _, k := range keys.KeyPairs {
		return strings.TrimSpace(aws.ToString(k.PublicKey)), nil
	}
	return "", fmt.Errorf("key pair %q is not there", *name)
}

func (c *Cloud) userData(ctx context.Context, id string) ([]byte, error) {
	out, err := c.ec2.DescribeInstanceAttribute(ctx, &ec2.DescribeInstanceAttributeInput{
		InstanceId: &id, Attribute: types.InstanceAttributeNameUserData,
	})
	if err != nil {
		return nil, err
	}
	if out.UserData == nil || out.UserData.Value == nil {
		return nil, nil
	}
	data, err := base64.StdEncoding.DecodeString(*out.UserData.Value)
	if err != nil {
		return nil, fmt.Errorf("user data of %s: %w", id, err)
	}
	return data, nil
}

// role is the IAM role in the instance's profile.
func (c *Cloud) role(ctx context.Context, profile *types.IamInstanceProfile) (string, error) {
	if profile == nil || profile.Arn == nil {
		return "", nil
	}
	if role := c.roles[*profile.Arn]; role != "" {
		return role, nil
	}
	name := (*profile.Arn)[strings.LastIndex(*profile.Arn, "/")+1:]
	out, err := c.iam.GetInstanceProfile(ctx, &iam.GetInstanceProfileInput{InstanceProfileName: &name})
	if err != nil {
		return "", err
	}
	for _, r := range out.InstanceProfile.Roles {
		c.roles[*profile.Arn] = aws.ToString(r.RoleName)
		return c.roles[*profile.Arn], nil
	}
	return "", nil
}

// RequestTimeout bounds one question to the API.
const RequestTimeout = 20 * time.Second
