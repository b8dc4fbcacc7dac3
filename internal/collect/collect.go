// Package collect answers queries with what AWS says: each becomes facts and coverage, a proof of absence, or a gap. It
// never judges what it read, drops no error, and changes nothing in AWS.
package collect

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/unjam/unjam/internal/awsapi"
	"github.com/unjam/unjam/internal/awsapi/read"
	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/op"
	"github.com/unjam/unjam/internal/resolve"
)

// inFlight is how many queries are answered at once. AWS's own limits bind long before: the session paces calls.
const inFlight = 32

// Collector answers queries with one session. Collect may be called again, for the next queries; not concurrently with
// itself on the same Builder.
type Collector struct {
	s *awsapi.Session
	r *read.Reader
	sealer
	// OnReply, when set, is told of every query as it is settled, one at a time.
	OnReply func(fact.Query)
	// Names asks the DNS; nil: questions to it become gaps.
	Names *resolve.Resolver
}

// New makes a Collector.
func New(s *awsapi.Session) *Collector { return &Collector{s: s, r: read.New(s), sealer: newSealer()} }

// answer is what a query came to. A query without err is covered.
type answer struct {
	facts []fact.Fact
	// err leaves the query uncovered; what was read before it stays.
	err error
	src fact.Source // of the reply that failed, as far as it is known
	// rest says why the answer was left incomplete on purpose; "" when it was not.
	rest string
	lost *fact.Gap // the gap as it is, where there is no error of AWS to word
}

// Collect answers the queries concurrently and writes into b, in the order of the queries: facts and coverage, or a gap.
// Equal queries are asked once. When ctx ends, what is unanswered becomes gaps. Every query is settled afterwards.
func (c *Collector) Collect(ctx context.Context, b *fact.Builder, queries []fact.Query) {
	queries = distinct(queries)
	answers := make([]answer, len(queries))
	settled := make(chan int)
	work := make(chan int)
	var workers sync.WaitGroup
	for range min(inFlight, len(queries)) {
		workers.Go(func() {
			for i := range work {
				answers[i] = c.answer(ctx, queries[i])
				settled <- i
			}
		})
	}
	go func() {
		for i := range queries {
			work <- i
		}
		close(work)
		workers.Wait()
		close(settled)
	}()
	for i := range settled {
		if c.OnReply != nil {
			c.OnReply(queries[i])
		}
	}
	for i, a := range answers {
		record(b, queries[i], a)
	}
}

func distinct(queries []fact.Query) []fact.Query {
	seen := map[string]bool{}
	var out []fact.Query
	for _, q := range queries {
		if k := q.Key(); !seen[k] {
			seen[k] = true
			out = append(out, q)
		}
	}
	return out
}

func (c *Collector) answer(ctx context.Context, q fact.Query) answer {
	if err := ctx.Err(); err != nil {
		return answer{err: err}
	}
	switch q.Kind {
	case fact.KindIdentity:
		return c.identity(ctx, q)
	case fact.KindRegion:
		return c.regions(ctx, q)
	case fact.KindPipelineList:
		return c.pipelineList(ctx, q)
	case fact.KindPipeline:
		return c.pipeline(ctx, q)
	case fact.KindPipelineState:
		return c.pipelineState(ctx, q)
	case fact.KindExecution:
		return c.executions(ctx, q)
	case fact.KindAction:
		return c.actions(ctx, q)
	case fact.KindConnection:
		if q.ID == "" {
			return c.connectionList(ctx, q)
		}
		return c.connection(ctx, q)
	case fact.KindTags:
		return c.tags(ctx, q)
	case fact.KindHost:
		return c.hosts(ctx, q)
	case fact.KindEvent:
		return c.events(ctx, q)
	case fact.KindSimulation:
		return c.simulation(ctx, q)
	case fact.KindRole:
		return c.roles(ctx, q)
	case fact.KindDefinition:
		return c.definition(ctx, q)
	case fact.KindConfigHistory:
		return c.configHistory(ctx, q)
	case fact.KindStack:
		return c.stack(ctx, q)
	case fact.KindDrift:
		return c.drift(ctx, q)
	case fact.KindStackState:
		return c.stackState(ctx, q)
	case fact.KindStackEvents:
		return c.stackEvents(ctx, q)
	case fact.KindChangeSet:
		return c.changeSet(ctx, q)
	case fact.KindPolicies:
		return c.policies(ctx, q)
	case fact.KindProject:
		return c.project(ctx, q)
	case fact.KindDecoded:
		return c.decode(ctx, q)
	case fact.KindPolicyCheck:
		return c.policyCheck(ctx, q)
	case fact.KindOpenings:
		return c.openings(ctx, q)
	case fact.KindNewAccess:
		return c.newAccess(ctx, q)
	case fact.KindHealth:
		return c.health(ctx, q)
	case fact.KindAlias:
		return c.alias(ctx, q)
	case fact.KindAccountTags:
		return c.accountTags(ctx, q)
	case fact.KindOrganization:
		return c.organization(ctx, q)
	case fact.KindSubnet:
		return c.subnets(ctx, q)
	case fact.KindSecurityGroup:
		return c.securityGroups(ctx, q)
	case fact.KindNetworkACL:
		return c.networkACLs(ctx, q)
	case fact.KindRouteTable:
		return c.routeTables(ctx, q)
	case fact.KindDHCPOptions:
		return c.dhcpOptions(ctx, q)
	case fact.KindEndpoint:
		return c.endpoints(ctx, q)
	case fact.KindCertificate:
		return c.certificate(ctx, q)
	case fact.KindQuota:
		return c.quotas(ctx, q)
	case fact.KindActionType:
		if q.ID != "" {
			return c.actionType(ctx, q)
		}
		return c.actionTypes(ctx, q)
	case fact.KindWebhook:
		return c.webhooks(ctx, q)
	case fact.KindAlarm:
		return c.alarms(ctx, q)
	case fact.KindManagedCertificate:
		if q.ID == "" {
			return c.managedCertificates(ctx, q)
		}
		return c.managedCertificate(ctx, q)
	case fact.KindHostedZone:
		if q.ID == "" {
			return c.zones(ctx, q)
		}
		return c.zone(ctx, q)
	case fact.KindRecord:
		return c.record(ctx, q)
	case fact.KindLookup:
		return c.lookup(ctx, q)
	case fact.KindOwnFault:
		return answer{lost: &fact.Gap{Query: q, Class: fact.Failed, Why: q.Args["why"],
			Source: fact.Source{Operation: "evaluation", Account: q.Scope.Account, Region: q.Scope.Region, At: time.Now().UTC()}}}
	case fact.KindRepository:
		return c.repository(ctx, q)
	case fact.KindImage:
		return c.image(ctx, q)
	case fact.KindImageList:
		return c.images(ctx, q)
	case fact.KindTargeting:
		return c.targeting(ctx, q)
	case fact.KindRule:
		if q.ID == "" {
			return c.rules(ctx, q)
		}
		return c.rule(ctx, q)
	case fact.KindRuleTargets:
		return c.ruleTargets(ctx, q)
	case fact.KindBucket:
		return c.bucket(ctx, q)
	case fact.KindOwnBuckets:
		return c.ownBuckets(ctx, q)
	case fact.KindBucketPolicy:
		return c.bucketPolicy(ctx, q)
	case fact.KindBucketEncryption:
		return c.bucketEncryption(ctx, q)
	case fact.KindKey:
		return c.key(ctx, q)
	case fact.KindKeyPolicy:
		return c.keyPolicy(ctx, q)
	case fact.KindBuildProject, fact.KindBuildCredential, fact.KindGitSync, fact.KindAppService, fact.KindProduct, fact.KindReview:
		return c.users(ctx, q)
	}
	return answer{err: fmt.Errorf("collect %q: no such kind of fact", q.Kind)}
}

// record writes an answer into the builder.
func record(b *fact.Builder, q fact.Query, a answer) {
	b.Add(a.facts...)
	switch {
	case a.lost != nil:
		b.Miss(*a.lost)
	case a.err != nil:
		b.Miss(gap(q, a))
	case a.rest != "":
		b.Miss(fact.Gap{Query: q, Source: a.src, Class: fact.Skipped, Why: a.rest})
	default:
		b.CoverBy(q, a.src)
	}
}

// gap words a failed query.
func gap(q fact.Query, a answer) fact.Gap {
	g := fact.Gap{Query: q, Source: a.src, Class: fact.Failed}
	if g.Source.Operation == "" {
		o := operation(q)
		g.Source.Service, g.Source.Operation, g.Source.Account, g.Source.Region = o.Service, o.Name, q.Scope.Account, q.Scope.Region
	}
	f := awsapi.Classify(a.err)
	g.Class, g.Why = f.Class, f.Why
	switch {
	case errors.Is(a.err, context.Canceled):
		g.Class, g.Why = fact.Skipped, "not read: the run was interrupted"
	case f.Kind == awsapi.Slow && a.src.Operation == "":
		g.Why = "not read: the time was up: raise --timeout to see it"
	}
	if g.Source.At.IsZero() {
		g.Source.At = time.Now().UTC()
	}
	if g.Source.RequestID == "" {
		g.Source.RequestID = f.RequestID
	}
	if g.Class == fact.Denied {
		g.Permission = f.Action
		if g.Permission == "" {
			g.Permission = permission(q)
		}
	}
	return g
}

// operation is the read that answers a query.
func operation(q fact.Query) op.Op {
	list := map[fact.Kind][2]string{fact.KindConnection: {"codeconnections", "ListConnections"}, fact.KindManagedCertificate: {"acm", "ListCertificates"}, fact.KindHostedZone: {"route53", "ListHostedZones"},
		fact.KindRule: {"events", "ListRules"}}
	if x, ok := list[q.Kind]; ok && q.ID == "" {
		o, _ := op.Find(x[0], x[1])
		return o
	}
	o, _ := op.Reading(q.Kind)
	return o
}

// permission is the IAM action that a query needs: with the prefix of the resource where there are two.
func permission(q fact.Query) string {
	actions := operation(q).Actions
	if len(actions) == 0 {
		return ""
	}
	if arn, err := fact.ParseARN(q.ID); err == nil {
		for _, a := range actions {
			if strings.HasPrefix(a, arn.Service+":") {
				return a
			}
		}
	}
	return actions[0]
}

// notFound reports whether AWS said that the thing does not exist.
func notFound(err error) bool { return awsapi.Classify(err).Kind == awsapi.NotFound }

// gone is the answer that a thing does not exist.
func gone(src fact.Source, refs ...fact.Ref) answer {
	var a answer
	for _, r := range refs {
		a.facts = append(a.facts, fact.Absent{Seen: fact.Seen{About: r, From: src}})
	}
	return a
}

func seen(ref fact.Ref, src fact.Source) fact.Seen { return fact.Seen{About: ref, From: src} }

// maxPages bounds a list, so that a service that never stops handing out tokens cannot hold the tool forever.
const maxPages = 1000

var errEndless = errors.New("the list does not end: gave up after 1000 pages")

// pages reads a list to its end: each call of next gives one page's facts and the token of the next page, "" at the end.
func pages(next func(token string) ([]fact.Fact, string, fact.Source, error)) answer {
	var a answer
	token := ""
	for range maxPages {
		facts, following, src, err := next(token)
		a.facts, a.src = append(a.facts, facts...), src
		if err != nil || following == "" {
			a.err = err
			return a
		}
		token = following
	}
	a.err = errEndless
	return a
}
