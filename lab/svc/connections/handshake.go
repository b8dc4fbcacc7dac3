package connections

import (
	"errors"
	"fmt"

	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/provider"
)

// Outcome is how a person's attempt at the console ended.
type Outcome string

// The outcomes of Handshake and SetupHost. Only Completed changes the status of a connection or host.
const (
	Completed     Outcome = "completed"      // AVAILABLE, bound to the organisation that was picked, right or wrong
	Denied        Outcome = "denied"         // AWS refused a step: the error is AWS's own
	Left          Outcome = "left"           // the person walked away at Stop
	OwnerNeeded   Outcome = "owner-needed"   // the login may not install the app; a request waits at the provider
	NoSuchOrg     Outcome = "no-such-org"    // the login cannot see the organisation
	HostNotReady  Outcome = "host-not-ready" // the connection's host is not AVAILABLE
	NotPending    Outcome = "not-pending"    // there is nothing to complete
	NotFound      Outcome = "not-found"      // no such connection or host for this account
	AdminRequired Outcome = "admin-required" // the login does not administer the self-managed server
	Refused       Outcome = "refused"        // any other refusal
)

// ErrHostNotReady says that a connection cannot be completed before its host is set up.
var ErrHostNotReady = errors.New("host is not available")

// ErrNoAnswer says that AWS does not get through to the server of a host.
var ErrNoAnswer = errors.New("the server does not answer")

// Attempt is what a person does at the console to complete a connection.
type Attempt struct {
	Login string   // at the provider; "" the owner of Org
	Org   string   // the organisation picked
	Repos []string // selected when the app gets installed on the way; empty: all
	Stop  Step     // where the person walks away; "" goes to the end
}

// Step is a place in the handshake to walk away from.
type Step string

// The steps of a handshake, in order: each is a stop right after it.
const (
	Opened     Step = "opened"     // looked at the connection's page
	Authorized Step = "authorized" // signed in at the provider
	Listed     Step = "listed"     // saw the installations to choose from
	Installed  Step = "installed"  // installed the app at the provider, never came back to press Connect
)

// Person is somebody at the console: who AWS takes them for and where they sit.
type Person struct {
	Principal cloud.Principal
	Origin    cloud.Origin
}

// Handshake plays a person who tries to complete a connection, through the console's own calls: each is authorised and
// logged, and the first refusal ends it. The error tells why an Outcome other than Completed and Left came about.
func (s *Service) Handshake(p Person, connectionARN string, a Attempt) (Outcome, error) {
	k, err := s.Open(p, connectionARN)
	if err != nil {
		return outcomeOf(err), err
	}
	if k.Status != Pending {
		return NotPending, fmt.Errorf("complete connection %s: its status is %s", k.ARN, k.Status)
	}
	if a.Stop == Opened {
		return Left, nil
	}
	login := a.Login
	if o, ok := s.dir.Org(k.ProviderType, a.Org); ok && login == "" {
		login = o.Owner
	}
	if err := s.SignIn(p, k.ARN); err != nil || a.Stop == Authorized {
		return leftOr(err), err
	}
	targets, err := s.Targets(p, k.ARN, login)
	if err != nil || a.Stop == Listed {
		return leftOr(err), err
	}
	id := ""
	for _, t := range targets {
		if t.Org == a.Org {
			id = t.ID
		}
	}
	if id == "" {
		i, err := s.Install(p, k.ARN, a.Org, login, a.Repos...)
		if err != nil || a.Stop == Installed {
			return leftOr(err), err
		}
		id = i.ID
	}
	if a.Stop == Installed {
		return Left, nil
	}
	if err := s.Connect(p, k.ARN, login, id); err != nil {
		return outcomeOf(err), err
	}
	return Completed, nil
}

// Open reads a connection as its console page does.
func (s *Service) Open(p Person, connectionARN string) (Connection, error) {
	if _, err := s.call(p, connectionARN, "GetConnection", map[string]any{"ConnectionArn": connectionARN}); err != nil {
		return Connection{}, err
	}
	k, ok := s.Lookup(connectionARN)
	if !ok {
		return Connection{}, noConnection(connectionARN)
	}
	return k, nil
}

// SignIn begins the handshake: the OAuth dance with the provider. A host must be set up before.
func (s *Service) SignIn(p Person, connectionARN string) error {
	k, err := s.completable(p, connectionARN)
	if err != nil {
		return err
	}
	for _, op := range []string{"StartOAuthHandshake", "GetIndividualAccessToken"} {
		if _, err := s.call(p, k.ARN, op, s.about(k)); err != nil {
			return err
		}
	}
	return nil
}

// Targets lists the installations a login can choose from. No console call but this shows them.
func (s *Service) Targets(p Person, connectionARN, login string) ([]*provider.Installation, error) {
	k, err := s.completable(p, connectionARN)
	if err != nil {
		return nil, err
	}
	if _, err := s.call(p, k.ARN, "ListInstallationTargets", s.about(k)); err != nil {
		return nil, err
	}
	return s.dir.Installations(k.ProviderType, login), nil
}

// Install follows "Install a new app" to the provider. For a login that is not the owner the provider keeps a request
// and the error wraps provider.ErrOwnerNeeded.
func (s *Service) Install(p Person, connectionARN, org, login string, repos ...string) (*provider.Installation, error) {
	k, err := s.completable(p, connectionARN)
	if err != nil {
		return nil, err
	}
	if _, err := s.call(p, k.ARN, "GetInstallationUrl", s.about(k)); err != nil {
		return nil, err
	}
	return s.dir.Install(k.ProviderType, org, login, repos...)
}

// Connect binds the connection to an installation the login can see: the step that makes it AVAILABLE.
func (s *Service) Connect(p Person, connectionARN, login, installation string) error {
	k, err := s.completable(p, connectionARN)
	if err != nil {
		return err
	}
	visible := false
	for _, i := range s.dir.Installations(k.ProviderType, login) {
		visible = visible || i.ID == installation
	}
	if !visible {
		return fmt.Errorf("connect %s to installation %s as %s: %w", k.ARN, installation, login, provider.ErrNotFound)
	}
	_, err = s.call(p, k.ARN, "UpdateConnectionInstallation", map[string]any{"ConnectionArn": k.ARN, "InstallationId": installation})
	return err
}

// SetupHost plays a person who sets up a PENDING host with a login of the server; its administrator alone can.
func (s *Service) SetupHost(p Person, hostARN, login string) (Outcome, error) {
	h, ok := s.Host(hostARN)
	if !ok || h.Owner != p.Principal.Account {
		return NotFound, cloud.Errorf(notFound, "Host %s not found.", hostARN)
	}
	if h.Status != Pending {
		return NotPending, fmt.Errorf("set up host %s: its status is %s", hostARN, h.Status)
	}
	about := map[string]any{"HostArn": hostARN}
	if _, err := s.call(p, hostARN, "StartAppRegistrationHandshake", about); err != nil {
		return outcomeOf(err), err
	}
	server, ok := s.dir.Server(h.Endpoint)
	if !ok {
		return Refused, fmt.Errorf("set up host %s: no server answers at %s", hostARN, h.Endpoint)
	}
	if t, broken := s.obstacle(h); broken {
		return Refused, fmt.Errorf("set up host %s: %w: %s", hostARN, ErrNoAnswer, t.why)
	}
	if server.Admin != login {
		return AdminRequired, fmt.Errorf("set up host %s as %s: the app must be registered by an administrator of %s", hostARN, login, h.Endpoint)
	}
	if _, err := s.call(p, hostARN, "RegisterAppCode", about); err != nil {
		return outcomeOf(err), err
	}
	return Completed, nil
}

// completable finds the connection for a step of its handshake: in the person's own account, with its host ready.
func (s *Service) completable(p Person, arn string) (Connection, error) {
	k, ok := s.Lookup(arn)
	if !ok || k.Owner != p.Principal.Account {
		return Connection{}, noConnection(arn)
	}
	if k.HostARN != "" {
		h, ok := s.Host(k.HostARN)
		if !ok || h.Status != Available {
			return Connection{}, fmt.Errorf("complete connection %s on host %s: %w", arn, k.HostARN, ErrHostNotReady)
		}
		if t, broken := s.obstacle(h); broken {
			return Connection{}, fmt.Errorf("complete connection %s on host %s: %w: %s", arn, k.HostARN, ErrNoAnswer, t.why)
		}
	}
	return k, nil
}

func (s *Service) about(k Connection) map[string]any {
	in := map[string]any{"ProviderType": k.ProviderType}
	if s.NameConnection {
		in["ConnectionArn"] = k.ARN
	}
	return in
}

// call makes one console call in the Region and under the prefix of an ARN.
func (s *Service) call(p Person, arn, op string, in map[string]any) (map[string]any, error) {
	at := parseARN(arn)
	return s.c.Serve(&cloud.Request{
		Service: at.service, Operation: op, Region: at.region, Caller: p.Principal, Origin: p.Origin, In: in,
	})
}

func leftOr(err error) Outcome {
	if err == nil {
		return Left
	}
	return outcomeOf(err)
}

func outcomeOf(err error) Outcome {
	var aws *cloud.Error
	switch {
	case errors.Is(err, provider.ErrOwnerNeeded):
		return OwnerNeeded
	case errors.Is(err, provider.ErrNotFound):
		return NoSuchOrg
	case errors.Is(err, ErrHostNotReady):
		return HostNotReady
	case errors.As(err, &aws) && aws.Code == cloud.AccessDenied:
		return Denied
	case errors.As(err, &aws) && aws.Code == notFound:
		return NotFound
	case errors.As(err, &aws) && aws.Code == conflict:
		return NotPending
	}
	return Refused
}
