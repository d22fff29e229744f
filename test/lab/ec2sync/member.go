package ec2sync

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/wsfleet/wsfleet/test/lab/host"
	"github.com/wsfleet/wsfleet/test/lab/imds"
	"github.com/wsfleet/wsfleet/test/lab/network"
	"github.com/wsfleet/wsfleet/test/lab/relay"
)

const (
	bootTimeout   = 2 * time.Minute        // after it the next host may boot, whatever this one does
	greetInterval = 100 * time.Millisecond // between questions whether sshd answers
	retryInterval = 5 * time.Second        // after a host that could not be set up
)

// What a host finds at network.LinkLocal.
const (
	metadataPort = "80"
	apiPort      = "5000"
)

// member is one host, from the instance's appearance to its end.
type member struct {
	fleet *Fleet
	first Instance // as it appeared
	done  chan struct{}
	end   context.CancelFunc

	mu     sync.Mutex // guards the following
	now    Instance   // as it was last described
	state  State
	note   string
	booted time.Duration
	// details and metadata are set once the host is set up.
	details  Details
	metadata *imds.Handler
	applied  []netip.Addr // secondary addresses that the host's interface has
}

func (f *Fleet) newMember(ctx context.Context, i Instance) *member {
	ctx, cancel := context.WithCancel(ctx)
	m := &member{fleet: f, first: i, now: i, state: Waiting, done: make(chan struct{}), end: cancel}
	go func() {
		defer close(m.done)
		m.live(ctx)
	}()
	return m
}

// live runs the host until ctx ends. A host that shut itself down stays dead; one that could not be set up is tried again.
func (m *member) live(ctx context.Context) {
	for ctx.Err() == nil {
		setUp, err := m.run(ctx)
		if ctx.Err() != nil {
			return
		}
		if setUp {
			m.set(Dead, err.Error())
			m.fleet.Log.Error("host is dead", "instance", m.first.ID, "error", err)
			<-ctx.Done()
			return
		}
		m.set(Failed, err.Error())
		m.fleet.Log.Error("cannot set up a host", "instance", m.first.ID, "error", err)
		select {
		case <-ctx.Done():
		case <-time.After(retryInterval):
		}
	}
}

// run sets the host up, runs it to its end and takes everything away again. setUp tells how far it came.
func (m *member) run(ctx context.Context) (setUp bool, err error) {
	f := m.fleet
	ask, cancel := context.WithTimeout(ctx, RequestTimeout)
	details, err := f.Cloud.Details(ask, m.first)
	cancel()
	if err != nil {
		return false, err
	}
	link := network.Host{
		Instance: m.first.ID, Namespace: f.Place.Namespace(m.first.ID), VPC: details.VPC,
		MAC: m.first.MAC, Address: m.first.Address, Secondary: m.first.Secondary,
	}
	if err := f.Switch.AddHost(link); err != nil {
		return false, err
	}
	defer func() { m.report(f.Switch.RemoveHost(link)) }()

	m.mu.Lock()
	m.details = details
	m.metadata = imds.New(m.describeLocked())
	m.applied = link.Secondary
	m.mu.Unlock()
	closeServices, err := m.serve(link.Namespace)
	if err != nil {
		return false, err
	}
	defer closeServices()

	h := &host.Host{
		Instance: m.first.ID, Hostname: m.hostname(), Domain: domain, Address: m.first.Address.String(),
		Namespace: network.NamespacePath(link.Namespace), Image: f.Image,
		Dir: f.Place.Host(m.first.ID), LogFile: f.Place.Log(m.first.ID), CGroup: f.group(m.first.ID),
		UserData: details.UserData,
	}
	if details.PublicKey != "" {
		h.PublicKeys = []string{details.PublicKey}
	}
	defer func() { m.report(h.RemoveDisk()) }()
	for {
		if err := m.boot(ctx, h); !errors.Is(err, host.ErrReboot) {
			return true, err
		}
		f.Log.Info("host reboots", "instance", m.first.ID)
	}
}

// boot waits for its turn and runs the host once.
func (m *member) boot(ctx context.Context, h *host.Host) error {
	m.set(Waiting, "")
	select {
	case m.fleet.slots <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	m.set(Booting, "")
	life, over := context.WithCancel(ctx)
	defer over()
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		defer func() { <-m.fleet.slots }()
		m.watch(life, h, time.Now())
	}()
	err := h.Run(ctx)
	over()
	<-watched
	return err
}

// watch waits until the host answers.
func (m *member) watch(ctx context.Context, h *host.Host, start time.Time) {
	ctx, cancel := context.WithTimeout(ctx, bootTimeout)
	defer cancel()
	for !h.Answers(ctx) {
		select {
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				m.set(Booting, fmt.Sprintf("sshd does not answer after %s; see %s", bootTimeout, h.LogFile))
			}
			return
		case <-time.After(greetInterval):
		}
	}
	m.mu.Lock()
	m.booted = time.Since(start)
	m.mu.Unlock()
	m.set(Running, "")
	m.fleet.Log.Info("host runs", "instance", m.first.ID, "boot", time.Since(start).Round(time.Millisecond))
}

// serve opens the metadata service and the way to the AWS API inside the host's namespace.
func (m *member) serve(namespace string) (stop func(), err error) {
	metadata, err := network.Listen(namespace, network.LinkLocal.String()+":"+metadataPort)
	if err != nil {
		return nil, err
	}
	api, err := network.Listen(namespace, network.LinkLocal.String()+":"+apiPort)
	if err != nil {
		metadata.Close()
		return nil, err
	}
	server := &http.Server{Handler: m.metadata, ReadHeaderTimeout: RequestTimeout}
	go func() { _ = server.Serve(metadata) }() // until it is closed
	relayed := make(chan struct{})
	go func() {
		defer close(relayed)
		_ = relay.Serve(api, m.fleet.API) // until it is closed
	}()
	return func() {
		server.Close()
		api.Close()
		<-relayed
	}, nil
}

// update takes over what may change while an instance runs: its tags, its IAM role and secondary addresses.
func (m *member) update(i Instance) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now = i
	if m.metadata == nil {
		return
	}
	m.metadata.Update(m.describeLocked())
	if m.state == Running && !slices.Equal(m.applied, i.Secondary) {
		m.report(network.ChangeSecondary(m.fleet.Place.Namespace(i.ID), m.applied, i.Secondary))
		m.applied = i.Secondary
	}
}

// describeLocked is the instance as its metadata service tells it.
func (m *member) describeLocked() imds.Instance {
	i := m.now
	d := imds.Instance{
		ID: i.ID, AMI: aws.ToString(i.ImageId), Type: string(i.InstanceType), Architecture: string(i.Architecture),
		Account: i.Account, Region: Region, VPC: m.details.VPC.ID, VPCCIDR: m.details.VPC.CIDR.String(),
		Subnet: aws.ToString(i.SubnetId), SubnetCIDR: m.details.SubnetCIDR,
		Address: i.Address, Secondary: i.Secondary, MAC: i.MAC.String(), Hostname: m.hostname() + "." + domain,
		KeyName: aws.ToString(i.KeyName), PublicKey: m.details.PublicKey, Tags: i.Tags, UserData: m.details.UserData,
		Role: i.Role, Launched: aws.ToTime(i.LaunchTime),
		Reservation: "r-" + strings.TrimPrefix(i.ID, "i-"),
	}
	if i.Placement != nil {
		d.Zone = aws.ToString(i.Placement.AvailabilityZone)
	}
	if i.IamInstanceProfile != nil {
		d.Profile = aws.ToString(i.IamInstanceProfile.Arn)
	}
	if len(i.NetworkInterfaces) > 0 {
		d.ENI = aws.ToString(i.NetworkInterfaces[0].NetworkInterfaceId)
	}
	for _, g := range i.SecurityGroups {
		d.SecurityGroups = append(d.SecurityGroups, aws.ToString(g.GroupName))
		d.SecurityGroupIDs = append(d.SecurityGroupIDs, aws.ToString(g.GroupId))
	}
	return d
}

// domain is that of private host names in EC2.
const domain = Region + ".compute.internal"

func (m *member) hostname() string {
	return "ip-" + strings.ReplaceAll(m.first.Address.String(), ".", "-")
}

func (m *member) set(s State, note string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.state, m.note = s, note
}

// report logs an error that nobody waits for.
func (m *member) report(err error) {
	if err != nil {
		m.fleet.Log.Error("host", "instance", m.first.ID, "error", err)
	}
}

func (m *member) status() Status {
	m.mu.Lock()
	defer m.mu.Unlock()
	return Status{
		Instance: m.first.ID, Role: m.now.Tags["Role"], Name: m.now.Tags["Name"], Address: m.first.Address,
		VPC: aws.ToString(m.first.VpcId), State: m.state, Note: m.note, BootSeconds: m.booted.Seconds(),
	}
}
