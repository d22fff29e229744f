package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/test/lab/apionly"
)

// inAPI runs Terraform on the root module, against an emulated API.
func inAPI(t *testing.T, api *apionly.API, root string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.Command("terraform", append([]string{"-chdir=" + filepath.Join(root, "terraform/cluster")}, args...)...)
	cmd.Env = append(api.Env(os.Environ()), "TF_IN_AUTOMATION=1")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// left runs the command and returns what it says, as types of things.
func left(t *testing.T, args ...string) (map[string]int, error) {
	t.Helper()
	var out, stderr bytes.Buffer
	err := run(t.Context(), args, &out, &stderr)
	types := map[string]int{}
	for line := range strings.Lines(out.String()) {
		if fields := strings.Split(line, "\t"); len(fields) == 3 {
			types[fields[1]]++
		}
	}
	return types, err
}

// remembered are the types whose tags the emulator goes on listing after their end (emulator.yaml, ec2:DescribeTags). Of what is
// not here, hosts, groups, rights and balancers among it, nothing may be left.
var remembered = []string{
	"internet-gateway", "key-pair", "launch-template", "network-acl", "route-table", "security-group", "security-group-rule",
	"subnet", "volume", "vpc",
}

// A whole cluster comes and goes: as long as anything of it is there it is found, nothing drifts, and destroy leaves nothing.
func TestAClusterFromApplyToNothing(t *testing.T) {
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	api, err := apionly.Start(t.Context(), root)
	require.NoError(t, err)
	t.Cleanup(api.Close)
	for _, v := range api.Env(nil) {
		name, value, _ := strings.Cut(v, "=")
		if strings.HasPrefix(name, "AWS_") {
			t.Setenv(name, value)
		}
	}

	_, err = left(t)
	require.NoError(t, err, "an account that never had a fleet")

	out, err := inAPI(t, api, root, "init", "-input=false", "-no-color", "-lockfile=readonly", "-backend-config=path="+filepath.Join(api.Dir, "terraform.tfstate"))
	require.NoError(t, err, out)
	lab := []string{
		"-input=false", "-no-color", "-var-file=scenarios/lab.tfvars",
		"-var=expires_at=" + time.Now().Add(24*time.Hour).UTC().Truncate(time.Minute).Format(time.RFC3339),
	}
	out, err = inAPI(t, api, root, append([]string{"apply", "-auto-approve"}, lab...)...)
	require.NoError(t, err, out)
	out, err = inAPI(t, api, root, append([]string{"plan", "-detailed-exitcode"}, lab...)...)
	require.NoError(t, err, "a second plan changes something: %s", out)

	found, err := left(t)
	require.ErrorIs(t, err, errLeft)
	for kind, n := range map[string]int{
		"instance": 9, "vpc": 1, "subnet": 4, "launch-template": 2, "key-pair": 1,
		"autoscaling:autoScalingGroup": 2, "iam:role": 6, "iam:instance-profile": 5,
	} {
		require.Equal(t, n, found[kind], "%s, of %v", kind, found)
	}
	ofCluster, err := left(t, "-cluster", "lab")
	require.ErrorIs(t, err, errLeft)
	require.Equal(t, found, ofCluster)
	_, err = left(t, "-cluster", "another")
	require.NoError(t, err)
	_, err = left(t, "-regions", "eu-west-1")
	require.ErrorIs(t, err, errLeft, "what belongs to no region is found from every one")

	out, err = inAPI(t, api, root, append([]string{"destroy", "-auto-approve"}, lab...)...)
	require.NoError(t, err, out)
	found, _ = left(t)
	for kind := range found {
		require.Contains(t, remembered, kind, "destroy left %v", found)
	}
}

func TestTheServiceOfAnARN(t *testing.T) {
	service, resource, err := splitARN("arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/net/lab-edge/50dc6c495c0c9188")
	require.NoError(t, err)
	require.Equal(t, "elasticloadbalancing loadbalancer", service+" "+resource)
	service, resource, err = splitARN("arn:aws:s3:::bucket")
	require.NoError(t, err)
	require.Equal(t, "s3 bucket", service+" "+resource)
	_, _, err = splitARN("sg-1")
	require.ErrorContains(t, err, `"sg-1" is no ARN`)
}

func TestBadArgumentsAreNamed(t *testing.T) {
	_, err := left(t, "-regions", ",")
	require.ErrorContains(t, err, `-regions ","`)
	_, err = left(t, "everywhere")
	require.ErrorContains(t, err, `"everywhere"`)
}
