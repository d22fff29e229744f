package ansible_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"github.com/wsfleet/wsfleet/ansible/edgetest"
)

func TestPrometheusConfiguration(t *testing.T) {
	for name, endpoint := range map[string]string{"in AWS": "", "in the lab": "http://169.254.169.254:5000"} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "prometheus.yml")
			edgetest.Render(t, "prometheus", edgetest.Vars{
				"prometheus_cluster":      "lab",
				"prometheus_aws_region":   "eu-central-1",
				"prometheus_aws_endpoint": endpoint,
				"prometheus_targets": []edgetest.Vars{
					{"job": "wsnode", "roles": []string{"node"}, "ports": []int{8766, 8776}},
					{"job": "haproxy", "roles": []string{"edge"}, "ports": []int{8404}, "params": edgetest.Vars{"scope": []string{"global", "frontend"}}},
				},
			}, map[string]string{"prometheus.yml.j2": path})
			edgetest.Command(t, "promtool", "prometheus", "check", "config", "--syntax-only", path)

			text, err := os.ReadFile(path)
			require.NoError(t, err)
			var config struct {
				Jobs []struct {
					Name   string              `yaml:"job_name"`
					Params map[string][]string `yaml:"params"`
					EC2    []map[string]any    `yaml:"ec2_sd_configs"`
				} `yaml:"scrape_configs"`
			}
			require.NoError(t, yaml.Unmarshal(text, &config))
			require.Len(t, config.Jobs, 4)
			assert.Equal(t, []string{"global", "frontend"}, config.Jobs[3].Params["scope"])
			for _, job := range config.Jobs[1:] {
				// Prometheus asks the EC2 API once for all jobs only while their configurations are equal.
				assert.Equal(t, config.Jobs[1].EC2, job.EC2, job.Name)
				got, present := job.EC2[0]["endpoint"]
				assert.Equal(t, endpoint != "", present)
				if present {
					assert.Equal(t, endpoint, got)
				}
			}
		})
	}
}
