package main

import "github.com/wsfleet/wsfleet/test/lab/moto"

// prerequisite is a program that wsfleet needs from the machine.
type prerequisite struct {
	name    string   // as a person calls it
	version []string // the command that prints its version
	min     string   // the oldest version known to work; "" for any
	pkg     string   // the Debian package that has it; "" if none has
	fix     string   // how to get it where there is no package
	need    string   // what it is needed for
}

// motoServer does not tell its version; its Python is asked.
const motoServer = "moto_server"

// prerequisites is the one place that pins the versions of tools. They are those
// of Debian 12 unless there is a reason.
var prerequisites = []prerequisite{
	{"go", []string{"go", "version"}, "1.26", "", "see https://go.dev/dl", "everything"},
	{"gcc", []string{"gcc", "--version"}, "", "gcc", "", "the race detector"},
	{"terraform", []string{"terraform", "version"}, "1.9", "", "see https://developer.hashicorp.com/terraform/install", "the fleet"},
	{"moto", []string{motoServer}, "5.2", "", moto.Install + " (pipx or a virtual environment will do, with its bin folder in PATH)", "the AWS API of the lab"},
	{"ssh", []string{"ssh", "-V"}, "", "openssh-client", "", "Ansible"},
	{"ansible", []string{"ansible-playbook", "--version"}, "2.14", "ansible", "", "configuring hosts"},
	{"boto3", []string{"/usr/bin/python3", "-c", "import boto3; print(boto3.__version__)"}, "1.26", "python3-boto3", "", "Ansible's inventory"},
	{"ansible-lint", []string{"ansible-lint", "--version"}, "6", "ansible-lint", "", "make lint"},
	{"yamllint", []string{"yamllint", "--version"}, "", "yamllint", "", "make lint"},
	{"shellcheck", []string{"shellcheck", "--version"}, "", "shellcheck", "", "make lint"},
	{"haproxy", []string{"haproxy", "-v"}, "2.6", "haproxy", "", "tests of the balancer"},
	{"nginx", []string{"nginx", "-v"}, "1.22", "nginx", "", "tests of the balancer"},
	{"nginx's stream", []string{"ls", "/usr/lib/nginx/modules/ngx_stream_module.so"}, "", "libnginx-mod-stream", "", "tests of the balancer"},
	{"redis", []string{"redis-server", "--version"}, "7", "redis-server", "", "tests of the broker"},
	{"redis-cli", []string{"redis-cli", "--version"}, "7", "redis-tools", "", "tests of the broker"},
	{"prometheus", []string{"prometheus", "--version"}, "2.42", "prometheus", "", "tests of dashboards and rules"},
	{"promtool", []string{"promtool", "--version"}, "2.42", "prometheus", "", "tests of dashboards and rules"},
	{"systemd-nspawn", []string{"systemd-nspawn", "--version"}, "252", "systemd-container", "", "the hosts of the lab"},
	{"debootstrap", []string{"debootstrap", "--version"}, "", "debootstrap", "", "the hosts' image"},
	{"ip", []string{"ip", "-V"}, "", "iproute2", "", "the network of the lab"},
	{"nft", []string{"nft", "--version"}, "", "nftables", "", "tests of peers that vanish"},
	{"node", []string{"node", "--version"}, "18", "nodejs", "", "tests with Node's ws"},
	{"npm", []string{"npm", "--version"}, "", "npm", "", "tests with Node's ws"},
	{"websockets", []string{"/usr/bin/python3", "-c", "import websockets; print(websockets.__version__)"}, "10", "python3-websockets", "", "tests with Python's websockets"},
	{"chromium", []string{"chromium", "--version"}, "", "chromium", "", "tests in a browser"},
	{"curl", []string{"curl", "--version"}, "", "curl", "", "trying things out"},
}
