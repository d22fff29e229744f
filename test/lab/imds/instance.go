package imds

import (
	"encoding/json"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// Instance is what the service tells about.
type Instance struct {
	ID, AMI, Type, Architecture string
	Account, Region, Zone       string
	VPC, Subnet                 string
	VPCCIDR, SubnetCIDR         string
	Address                     netip.Addr
	Secondary                   []netip.Addr
	MAC, ENI                    string
	Hostname                    string // with its domain
	KeyName, PublicKey          string
	SecurityGroups              []string // names
	SecurityGroupIDs            []string
	Tags                        map[string]string
	UserData                    []byte
	Role, Profile               string // of IAM; Profile is the ARN of the instance profile
	Reservation                 string
	Launched                    time.Time
}

// credentialsLife is how long credentials are said to be good; they are made anew with every request.
const credentialsLife = 6 * time.Hour

// tree lays the instance out as paths.
func (i Instance) tree(now time.Time) tree {
	addresses := []string{i.Address.String()}
	for _, a := range i.Secondary {
		addresses = append(addresses, a.String())
	}
	meta := map[string]string{
		"ami-id":                         i.AMI,
		"ami-launch-index":               "0",
		"ami-manifest-path":              "(unknown)",
		"block-device-mapping/ami":       "/dev/xvda",
		"block-device-mapping/root":      "/dev/xvda",
		"hostname":                       i.Hostname,
		"instance-action":                "none",
		"instance-id":                    i.ID,
		"instance-life-cycle":            "on-demand",
		"instance-type":                  i.Type,
		"local-hostname":                 i.Hostname,
		"local-ipv4":                     i.Address.String(),
		"mac":                            i.MAC,
		"placement/availability-zone":    i.Zone,
		"placement/availability-zone-id": i.Zone,
		"placement/region":               i.Region,
		"profile":                        "default-hvm",
		"reservation-id":                 i.Reservation,
		"security-groups":                strings.Join(i.SecurityGroups, "\n"),
		"services/domain":                "amazonaws.com",
		"services/partition":             "aws",
		"system":                         "nitro",
	}
	eni := "network/interfaces/macs/" + i.MAC + "/"
	for key, value := range map[string]string{
		"device-number":          "0",
		"interface-id":           i.ENI,
		"local-hostname":         i.Hostname,
		"local-ipv4s":            strings.Join(addresses, "\n"),
		"mac":                    i.MAC,
		"owner-id":               i.Account,
		"security-group-ids":     strings.Join(i.SecurityGroupIDs, "\n"),
		"security-groups":        strings.Join(i.SecurityGroups, "\n"),
		"subnet-id":              i.Subnet,
		"subnet-ipv4-cidr-block": i.SubnetCIDR,
		"vpc-id":                 i.VPC,
		"vpc-ipv4-cidr-block":    i.VPCCIDR,
		"vpc-ipv4-cidr-blocks":   i.VPCCIDR,
	} {
		meta[eni+key] = value
	}
	if i.PublicKey != "" {
		meta["public-keys/0/openssh-key"] = i.PublicKey
	}
	for key, value := range i.Tags {
		meta["tags/instance/"+key] = value
	}
	if i.Role != "" {
		meta["iam/info"] = document(map[string]string{
			"Code": "Success", "LastUpdated": stamp(now), "InstanceProfileArn": i.Profile, "InstanceProfileId": "AIPA" + strings.ToUpper(i.ID[2:]),
		})
		meta["iam/security-credentials/"+i.Role] = document(map[string]string{
			"Code": "Success", "LastUpdated": stamp(now), "Type": "AWS-HMAC",
			"AccessKeyId": "test", "SecretAccessKey": "test", "Token": "test", "Expiration": stamp(now.Add(credentialsLife)),
		})
	}
	t := tree{}
	for key, value := range meta {
		t["meta-data/"+key] = value
	}
	t["dynamic/instance-identity/document"] = i.identity()
	if len(i.UserData) > 0 {
		t["user-data"] = string(i.UserData)
	}
	t.list(map[string]string{"meta-data/public-keys": "0=" + i.KeyName})
	return t
}

func (i Instance) identity() string {
	return document(map[string]any{
		"accountId": i.Account, "architecture": i.Architecture, "availabilityZone": i.Zone, "billingProducts": nil,
		"devpayProductCodes": nil, "imageId": i.AMI, "instanceId": i.ID, "instanceType": i.Type, "kernelId": nil,
		"marketplaceProductCodes": nil, "pendingTime": stamp(i.Launched), "privateIp": i.Address.String(), "ramdiskId": nil,
		"region": i.Region, "version": "2017-09-30",
	})
}

func document(v any) string {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return strconv.Quote(err.Error()) // unreachable: strings and nulls
	}
	return string(text)
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }
