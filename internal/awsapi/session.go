// Package awsapi opens sessions with AWS: credentials, one shared transport, pacing, retries, a tally of calls and the
// meaning of AWS's errors. It makes no call of its own except those that credentials need, and it never changes AWS.
package awsapi

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/logging"

	"github.com/unjam/unjam/internal/fact"
)

// Time limits of calls. A host that swallows packets costs one connect timeout per try, one that accepts and then says
// nothing costs callTimeout at most.
const (
	connectTimeout = 4 * time.Second  // dial: three of them and the pauses between, 2 s and 4 s at most, fit into a call
	attemptTimeout = 15 * time.Second // one HTTP exchange, body included
	callTimeout    = 20 * time.Second // one call with all its tries, after its turn in the pace has come; anew in every later turn
	maxAttempts    = 3                // the SDK's own default
)

// Options say whose session to open. The zero value is the SDK's own chain: environment, profiles, SSO, process, web
// identity, container, instance metadata.
type Options struct {
	Profile     string // --profile; "" leaves the choice to AWS_PROFILE
	RoleARN     string // assumed on top of the chain
	Region      string // "" leaves the choice to AWS_REGION and the profile
	EndpointURL string // every service is called here, whatever the environment says
	Version     string // of unjam, for the user agent

	// Keys are fixed credentials. With them neither the environment nor the shared files are read: the session depends
	// on nothing of the machine (the demo, tests).
	Keys *Keys
	// Transport takes the place of the network (the lab in the same process, tests).
	Transport http.RoundTripper
	// Dial reaches hosts that are not AWS's, to look at their certificates; nil: the network, or nothing where Transport takes its place.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Timeout is for one call with all its tries; 0: 20 s.
	Timeout time.Duration
	// OnWait is told once when reads of a session that was only just made are refused and asked for again, until a time. It is called
	// by the goroutine of a call; nil: nobody is told.
	OnWait func(until time.Time)
	// Code asks the person for the one-time code of a profile with mfa_serial; nil: such profiles fail.
	Code func() (string, error)
}

// Keys are an access key. Source names where it came from, for whoami.
type Keys struct{ ID, Secret, Token, Source string }

// Session is one identity in AWS. It is safe for concurrent use; one session serves every Region of its account.
type Session struct {
	opts  Options
	base  aws.Config
	creds *renewable
	http  *http.Client
	pace  *pacer
	tally *tally
	clock clock
	from  aws.Config // as it was loaded
	alone bool       // every call is made once: see Single
}

// UsageError is a session that cannot be opened the way it was asked for: no Region, an unknown profile, a malformed
// role ARN or endpoint. It is the caller's to mend, not AWS's.
type UsageError struct {
	Why string
	Err error // may be nil
}

func (e *UsageError) Error() string { return e.Why }

// Unwrap gives the error behind it.
func (e *UsageError) Unwrap() error { return e.Err }

var regionName = regexp.MustCompile(`^[a-z]{2,}(-[a-z]+)+-[0-9]+$`)

// Open finds credentials and a Region. The credentials are fetched once, so that missing ones are one clear error here
// and not one per call: a *UsageError, or an error that Classify understands (*CredentialsError).
func Open(ctx context.Context, o Options) (*Session, error) {
	if err := check(o); err != nil {
		return nil, err
	}
	s := &Session{opts: o, creds: &renewable{}, pace: newPacer(), tally: &tally{}}
	cfg, err := s.load(ctx)
	if err != nil {
		return nil, err
	}
	s.http, s.from = s.client(cfg), cfg
	s.base = s.complete(cfg)
	s.creds.set(s.provider(cfg.Credentials))
	if _, err := s.creds.Retrieve(ctx); err != nil {
		return nil, fmt.Errorf("open session: %w", err)
	}
	return s, nil
}

func check(o Options) error {
	if o.Region != "" && !regionName.MatchString(o.Region) {
		return &UsageError{Why: fmt.Sprintf("open session: %q is not the name of a Region", o.Region)}
	}
	if o.RoleARN != "" {
		if a, err := fact.ParseARN(o.RoleARN); err != nil || a.Service != "iam" || len(a.Resource) < len("role/x") || a.Resource[:5] != "role/" {
			return &UsageError{Why: fmt.Sprintf("open session: %q is not the ARN of an IAM role", o.RoleARN)}
		}
	}
	if o.EndpointURL != "" {
		u, err := url.Parse(o.EndpointURL)
		if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
			return &UsageError{Why: fmt.Sprintf("open session: endpoint %q is not an http or https URL", o.EndpointURL)}
		}
	}
	return nil
}

// load reads the configuration chain, or builds the closed one of fixed keys.
func (s *Session) load(ctx context.Context) (aws.Config, error) {
	o := s.opts
	if o.Keys != nil {
		source := o.Keys.Source
		if source == "" {
			source = "StaticCredentials"
		}
		cfg := aws.Config{Region: o.Region, Credentials: credentials.StaticCredentialsProvider{Value: aws.Credentials{
			AccessKeyID: o.Keys.ID, SecretAccessKey: o.Keys.Secret, SessionToken: o.Keys.Token, Source: source}}}
		return cfg, needRegion(cfg)
	}
	opts := []func(*config.LoadOptions) error{config.WithHTTPClient(buildable()), config.WithRetryer(func() aws.Retryer { return newRetryer() }),
		config.WithLogger(logging.Nop{})} // the SDK would write warnings to stderr
	if o.Profile != "" {
		opts = append(opts, config.WithSharedConfigProfile(o.Profile))
	}
	if o.Region != "" {
		opts = append(opts, config.WithRegion(o.Region))
	}
	if o.EndpointURL != "" {
		opts = append(opts, config.WithBaseEndpoint(o.EndpointURL))
	}
	if o.Code != nil {
		opts = append(opts, config.WithAssumeRoleCredentialOptions(func(a *stscreds.AssumeRoleOptions) { a.TokenProvider = o.Code }))
	}
	cfg, err := config.LoadDefaultConfig(ctx, opts...)
	if err != nil {
		return cfg, configError(err)
	}
	return cfg, needRegion(cfg)
}

func needRegion(cfg aws.Config) error {
	if cfg.Region == "" {
		return &UsageError{Why: "open session: no Region: use --region, set AWS_REGION or give the profile a region"}
	}
	if !regionName.MatchString(cfg.Region) {
		return &UsageError{Why: fmt.Sprintf("open session: %q is not the name of a Region", cfg.Region)}
	}
	return nil
}

func configError(err error) error {
	var profile config.SharedConfigProfileNotExistError
	if errors.As(err, &profile) {
		return &UsageError{Why: fmt.Sprintf("open session: profile %q does not exist: `aws configure list-profiles` shows those that do", profile.Profile), Err: err}
	}
	return &UsageError{Why: "open session: read the AWS configuration: " + oneLine(err.Error()), Err: err}
}

// complete makes the configuration of all service clients.
func (s *Session) complete(cfg aws.Config) aws.Config {
	cfg.HTTPClient = s.http
	cfg.Credentials = s.creds
	cfg.Retryer = func() aws.Retryer { return newPacedRetryer() }
	if s.alone {
		cfg.Retryer = func() aws.Retryer { return newSingleRetryer() }
	}
	cfg.Logger = logging.Nop{}
	cfg.AppID = "unjam"
	if s.opts.Version != "" {
		cfg.AppID = "unjam-" + s.opts.Version
	}
	cfg.APIOptions = append(slices.Clone(cfg.APIOptions), s.middleware)
	if s.opts.EndpointURL != "" {
		// Clients look for per-service endpoints in the sources themselves; a flag must win over all of them.
		cfg.BaseEndpoint = aws.String(s.opts.EndpointURL)
		cfg.ConfigSources = nil
	}
	return cfg
}

// provider puts the role on top of the chain's credentials.
func (s *Session) provider(chain aws.CredentialsProvider) aws.CredentialsProvider {
	if s.opts.RoleARN == "" {
		return chain
	}
	cfg := s.base
	cfg.Credentials = chain
	role := stscreds.NewAssumeRoleProvider(sts.NewFromConfig(cfg), s.opts.RoleARN, func(o *stscreds.AssumeRoleOptions) {
		o.RoleSessionName = "unjam"
		o.TokenProvider = s.opts.Code
	})
	return aws.NewCredentialsCache(role)
}

// Renew reads the whole chain again and goes on with what it finds, after `aws sso login` for example. Calls that run
// meanwhile keep the old credentials. On an error the old ones stay. Whether it is still the same account is the
// caller's to ask.
func (s *Session) Renew(ctx context.Context) error {
	cfg, err := s.load(ctx)
	if err != nil {
		return err
	}
	fresh := &renewable{}
	fresh.set(s.provider(cfg.Credentials))
	if _, err := fresh.Retrieve(ctx); err != nil {
		return fmt.Errorf("renew credentials: %w", err)
	}
	s.creds.set(fresh.get())
	return nil
}

// Single is the same session, keys and connections, whose calls are made once each: what goes wrong once is seen and not smoothed
// over. It counts into the same tally and needs no Close.
func (s *Session) Single() *Session {
	one := &Session{opts: s.opts, creds: s.creds, http: s.http, pace: s.pace, tally: s.tally, from: s.from, alone: true}
	one.base = one.complete(one.from)
	return one
}

// Anew opens another session from the same sources, with nothing kept: credentials are read or handed out again, roles assumed
// again, connections made again. same says that the source gave the very keys that s has, so that the new session is the old one.
// Close it.
func (s *Session) Anew(ctx context.Context) (fresh *Session, same bool, err error) {
	old, err := s.creds.Retrieve(ctx)
	if err != nil {
		return nil, false, err
	}
	if fresh, err = Open(ctx, s.opts); err != nil {
		return nil, false, err
	}
	c, err := fresh.creds.Retrieve(ctx)
	if err != nil {
		fresh.Close()
		return nil, false, err
	}
	fresh.tally = s.tally
	return fresh, c.AccessKeyID == old.AccessKeyID, nil
}

// Region is the session's own Region.
func (s *Session) Region() string { return s.base.Region }

// Config is the configuration for service clients in a Region; "" means the session's own. Building a client from it
// costs microseconds and opens no connection of its own.
func (s *Session) Config(region string) aws.Config {
	cfg := s.base.Copy()
	if region != "" {
		cfg.Region = region
	}
	return cfg
}

// Credentials tells where the credentials in use came from, fetching them when they have to be.
func (s *Session) Credentials(ctx context.Context) (Origin, error) {
	c, err := s.creds.Retrieve(ctx)
	if err != nil {
		return Origin{}, err
	}
	o := Origin{Source: c.Source, FetchedAt: s.creds.since()}
	if c.CanExpire {
		o.ExpiresAt = c.Expires.UTC()
	}
	return o, nil
}

// Close drops idle connections.
func (s *Session) Close() { s.http.CloseIdleConnections() }

// Origin is where credentials came from: the SDK's name of the source (EnvConfigCredentials, SSOProvider,
// AssumeRoleProvider ...) and when they run out; the zero time when they never do or do not say.
type Origin struct {
	Source    string
	ExpiresAt time.Time
	FetchedAt time.Time // when this program got them, by its own clock
}

// renewable is a credentials provider whose inside can be replaced. It remembers since when the keys of now are in use.
type renewable struct {
	mu     sync.Mutex
	in     aws.CredentialsProvider
	key    string // access key ID of now
	source string // of now
	at     time.Time
	told   bool // OnWait was told about them
}

func (r *renewable) set(p aws.CredentialsProvider) {
	if _, cached := p.(*aws.CredentialsCache); !cached && p != nil {
		p = aws.NewCredentialsCache(p)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.in = p
}

func (r *renewable) get() aws.CredentialsProvider {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.in
}

// Retrieve implements aws.CredentialsProvider.
func (r *renewable) Retrieve(ctx context.Context) (aws.Credentials, error) {
	p := r.get()
	if p == nil {
		return aws.Credentials{}, &CredentialsError{Err: errors.New("no credentials are configured")}
	}
	c, err := p.Retrieve(ctx)
	if err != nil {
		return c, &CredentialsError{Err: err}
	}
	r.note(c, time.Now())
	return c, nil
}

// CredentialsError is a failure to get credentials at all, as opposed to credentials that AWS refuses.
type CredentialsError struct{ Err error }

func (e *CredentialsError) Error() string { return "get credentials: " + e.Err.Error() }

// Unwrap gives the error behind it.
func (e *CredentialsError) Unwrap() error { return e.Err }
