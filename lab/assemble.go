package lab

import (
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/console"
	"github.com/unjam/unjam/lab/dns"
	"github.com/unjam/unjam/lab/provider"
	"github.com/unjam/unjam/lab/svc/accessanalyzer"
	"github.com/unjam/unjam/lab/svc/account"
	"github.com/unjam/unjam/lab/svc/acm"
	"github.com/unjam/unjam/lab/svc/apprunner"
	"github.com/unjam/unjam/lab/svc/cloudformation"
	"github.com/unjam/unjam/lab/svc/cloudtrail"
	"github.com/unjam/unjam/lab/svc/cloudwatch"
	"github.com/unjam/unjam/lab/svc/codebuild"
	"github.com/unjam/unjam/lab/svc/codegurureviewer"
	"github.com/unjam/unjam/lab/svc/codepipeline"
	"github.com/unjam/unjam/lab/svc/config"
	"github.com/unjam/unjam/lab/svc/connections"
	"github.com/unjam/unjam/lab/svc/ec2"
	"github.com/unjam/unjam/lab/svc/ecr"
	"github.com/unjam/unjam/lab/svc/events"
	"github.com/unjam/unjam/lab/svc/health"
	"github.com/unjam/unjam/lab/svc/iam"
	"github.com/unjam/unjam/lab/svc/kms"
	"github.com/unjam/unjam/lab/svc/organizations"
	"github.com/unjam/unjam/lab/svc/route53"
	"github.com/unjam/unjam/lab/svc/s3"
	"github.com/unjam/unjam/lab/svc/servicecatalog"
	"github.com/unjam/unjam/lab/svc/servicequotas"
	"github.com/unjam/unjam/lab/svc/sns"
	"github.com/unjam/unjam/lab/svc/sts"
)

// Lab is one simulated AWS with all its services. Change its state through Cloud.Within or the services' own methods;
// it may be used by any number of clients at the same time.
type Lab struct {
	Cloud        *cloud.Cloud
	IAM          *iam.Service
	STS          *sts.Service
	Git          *provider.Directory
	Connections  *connections.Service
	Network      *ec2.Service
	Pipelines    *codepipeline.Service
	Builds       *codebuild.Service
	Health       *health.Service
	Analyzer     *accessanalyzer.Service
	Config       *config.Service
	Stacks       *cloudformation.Service
	Topics       *sns.Service
	Metrics      *cloudwatch.Service
	Apps         *apprunner.Service
	Catalog      *servicecatalog.Service
	Reviews      *codegurureviewer.Service
	Names        *dns.Directory
	Zones        *route53.Service
	Certificates *acm.Service
	Keys         *kms.Service
	Buckets      *s3.Service
	Registry     *ecr.Service
	Events       *events.Service
	Console      http.Handler // the pages under /codesuite/ and /_provider/

	mu        sync.Mutex
	observers []func(Exchange)
}

// New returns a lab with every service and nothing in it: no account, no caller.
func New() *Lab {
	c := cloud.New()
	l := &Lab{Cloud: c, IAM: iam.New(c), Git: provider.New(c)}
	l.STS = sts.New(c, roles{l.IAM})
	l.Connections = connections.New(c, l.Git)
	l.Network = ec2.New(c)
	l.Connections.StandOn(l.Network)
	c.Service("ec2").Encode = l.STS.Encode
	l.Console = console.New(c, l.Connections, l.Git)
	l.Builds = codebuild.New(c, l.IAM)
	l.Pipelines = codepipeline.New(c, l.Connections, l.IAM)
	l.Pipelines.BuildWith(l.Builds)
	l.Keys = kms.New(c, l.IAM)
	l.Buckets = s3.New(c, l.IAM, l.Keys)
	l.Pipelines.KeepIn(l.Buckets)
	l.Pipelines.RelayWith(installations{l.Connections, l.Git})
	l.Git.OnEvent(l.Pipelines.Hear)
	l.Git.OnPush(l.Connections.Follow)
	l.Builds.ReferTo(l.Pipelines.Projects)
	l.Health = health.New(c)
	l.Analyzer = accessanalyzer.New(c, l.IAM)
	l.Config = config.New(c, l.Pipelines, l.IAM)
	l.Stacks = cloudformation.New(c)
	l.Stacks.ActAs(l.IAM)
	l.Pipelines.DeployWith(l.Stacks)
	l.Topics = sns.New(c)
	l.Metrics = cloudwatch.New(c)
	l.Apps = apprunner.New(c)
	l.Catalog = servicecatalog.New(c)
	l.Reviews = codegurureviewer.New(c)
	l.Names = dns.New(c)
	l.Zones = route53.New(c, l.Names)
	l.Certificates = acm.New(c, l.Names)
	l.Registry = ecr.New(c)
	l.Events = events.New(c, l.Pipelines, l.IAM)
	l.Pipelines.PullFrom(images{l.Registry})
	l.Registry.OnPush(l.tellPush)
	organizations.New(c, l.IAM)
	servicequotas.New(c)
	account.New(c)
	cloudtrail.New(c)
	return l
}

// roles is IAM as STS sees it.
type roles struct{ *iam.Service }

// MaxSession is the longest session of a role; none for a role that does not exist.
func (r roles) MaxSession(roleARN string) time.Duration {
	parts := strings.SplitN(roleARN, ":", 6)
	if len(parts) != 6 {
		return 0
	}
	role, ok := r.Role(parts[4], parts[5][strings.LastIndexByte(parts[5], '/')+1:])
	if !ok {
		return 0
	}
	return time.Duration(role.MaxSession) * time.Second
}
