// Package codepipeline simulates AWS CodePipeline: pipelines really run, on simulated time, and fail for the reasons AWS fails them.
// It never decides by itself that something fails: connections, roles and people do.
package codepipeline

import (
	"time"

	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/provider"
)

// Connections is what source actions and triggers need of the connection service.
type Connections interface {
	// Fetch returns the newest commit of a branch, read through a connection with the rights of a role.
	Fetch(role cloud.Principal, region, connectionARN, fullRepositoryID, branch string) (provider.Commit, *cloud.Error)
	// Hookable reports whether a webhook can be made now: the connection is AVAILABLE and its app lives.
	Hookable(connectionARN string) bool
	// Hears reports whether a push to a repository arrives through the connection.
	Hears(connectionARN, providerType, fullRepositoryID string) bool
}

// Roles finds the roles that pipelines run with.
type Roles interface {
	// RolePrincipalByARN is a session of a role; false when the role does not exist.
	RolePrincipalByARN(arn, session string) (cloud.Principal, bool)
	// MayAssume judges a role's trust policy.
	MayAssume(p cloud.Principal, roleARN string) cloud.Decision
}

// Builds runs the projects of CodeBuild actions.
type Builds interface {
	// Build runs a project and returns the build's ID and, when it failed, how the action fails. connectionARN is the connection
	// through which the build clones repo itself, "" when it gets the source as an archive.
	Build(account, region, project, connectionARN, repo string) (buildID string, failed *cloud.Error)
}

// Installations tells of the provider's app behind a connection.
type Installations interface {
	// Reinstalled reports whether the app that a connection is bound to is gone and another installation of it sees the repository:
	// its pushes arrive, and nothing can be fetched.
	Reinstalled(connectionARN, providerType, fullRepositoryID string) bool
}

// Stacks deploys the stacks of CloudFormation actions.
type Stacks interface {
	// Exists reports whether a stack of that name lives.
	Exists(account, region, name string) bool
	// Deploy begins what an action is configured to do, as a role, with artifacts of a revision. ended tells how it ended, as soon as
	// it has. The code of refused is CloudFormation's, "" for what CodePipeline itself finds wrong.
	Deploy(role cloud.Principal, region string, conf map[string]string, revision string) (id string, ended func() (bool, *cloud.Error), refused *cloud.Error)
}

// Durations are how long actions take.
type Durations struct {
	Source time.Duration // source actions; AWS takes some seconds
	Other  time.Duration // builds, deployments and all other actions but approvals
}

// Service is CodePipeline in every account and Region.
type Service struct {
	c         *cloud.Cloud
	conns     Connections
	roles     Roles
	pipelines map[string]*pipeline
	fails     map[string]Failure
	durations Durations
	builds    Builds
	apps      Installations
	stacks    Stacks
	artifacts Artifacts
	images    Images
	hangs     map[string]bool
	troubles  []trouble
	revoked   map[string]bool       // OAuth tokens
	types     map[string]actionType // custom action types by ARN
	webhooks  map[string]webhook    // by ARN
	jobs      []job                 // of custom actions, that no worker has taken
}

// Failure is why an action fails; it says nothing where the message is empty.
type Failure struct{ Code, Message string }

// New adds the service to a cloud. Subscribe Hear to the provider's events.
func New(c *cloud.Cloud, conns Connections, roles Roles) *Service {
	s := &Service{c: c, conns: conns, roles: roles, pipelines: map[string]*pipeline{}, fails: map[string]Failure{},
		hangs: map[string]bool{}, revoked: map[string]bool{}, types: map[string]actionType{}, webhooks: map[string]webhook{},
		durations: Durations{Source: 5 * time.Second, Other: time.Minute}}
	s.register()
	return s
}

// BuildWith says who runs the projects of CodeBuild actions. Without one, every build succeeds.
func (s *Service) BuildWith(b Builds) { s.builds = b }

// RelayWith says who knows the apps behind connections. Without one, no push arrives but through the app a connection is bound to.
func (s *Service) RelayWith(apps Installations) { s.apps = apps }

// DeployWith says who deploys the stacks of CloudFormation actions. Without one, every deployment succeeds.
func (s *Service) DeployWith(x Stacks) { s.stacks = x }

// SetDurations sets how long actions take from now on.
func (s *Service) SetDurations(d Durations) { s.durations = d }

// Hurry makes actions take about a second: for demos that a person watches.
func (s *Service) Hurry() { s.durations = Durations{Source: time.Second, Other: time.Second} }

// FailAction makes an action fail from now on; an empty code lets it succeed again, as HealAction does.
func (s *Service) FailAction(account, region, pipeline, stage, action string, f Failure) {
	if f.Code == "" {
		s.HealAction(account, region, pipeline, stage, action)
		return
	}
	s.fails[failKey(account, region, pipeline, stage, action)] = f
}

// notFound is the error for a pipeline that does not exist for the reader.
func notFound(r *cloud.Request, name string) *cloud.Error {
	return cloud.Errorf("PipelineNotFoundException", "Account '%s' does not have a pipeline with name '%s'", r.Account(), name)
}

func key(account, region, name string) string { return account + "|" + region + "|" + name }

// ARN is a pipeline's ARN.
func ARN(account, region, name string) string {
	return "arn:aws:codepipeline:" + region + ":" + account + ":" + name
}
