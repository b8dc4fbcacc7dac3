package collect

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/accessanalyzer"
	antypes "github.com/aws/aws-sdk-go-v2/service/accessanalyzer/types"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/unjam/unjam/internal/fact"
)

// maxDocuments is how many policies of a role are read: one page. Ten managed ones are the default quota, and all inline policies of a role
// have 10,240 characters together. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
const maxDocuments = 100

// policies reads the role whose ARN the query names, with its trust, boundary and policies: the lists at once, then the documents at once.
func (c *Collector) policies(ctx context.Context, q fact.Query) answer {
	arn, err := fact.ParseARN(q.ID)
	if err != nil {
		return answer{err: fmt.Errorf("read policies: %w", err)}
	}
	f := fact.RolePolicies{ARN: q.ID, Name: arn.Name()}
	f.About = fact.Ref{Scope: q.Scope.Global(), Kind: fact.KindPolicies, ID: q.ID}
	documents, whole, a := c.roleLists(ctx, q, &f)
	if notFound(a.err) {
		return gone(a.src, f.About)
	}
	if a.err != nil {
		return a
	}
	a = c.documents(ctx, q, &f, documents)
	f.More = !whole
	a.facts = []fact.Fact{f}
	if !whole && a.err == nil {
		a.src, a.rest = f.From, fmt.Sprintf("%s has more than %d policies of a kind: the others were not read", f.Name, maxDocuments)
	}
	return a
}

// roleLists reads the role itself and the names of its policies; whole says whether these are all.
func (c *Collector) roleLists(ctx context.Context, q fact.Query, f *fact.RolePolicies) (documents []fact.PolicyDocument, whole bool, a answer) {
	var inline, attached []fact.PolicyDocument
	var more [2]bool
	a = together(
		func() (fact.Source, error) {
			out, src, err := c.r.GetRole(ctx, q.Scope, &iam.GetRoleInput{RoleName: &f.Name})
			if err == nil && out.Role != nil {
				f.From, f.Created, f.Trust = src, aws.ToTime(out.Role.CreateDate).UTC(), decoded(aws.ToString(out.Role.AssumeRolePolicyDocument))
				if b := out.Role.PermissionsBoundary; b != nil {
					f.Boundary = aws.ToString(b.PermissionsBoundaryArn)
				}
			}
			return src, err
		},
		func() (fact.Source, error) {
			out, src, err := c.r.ListRolePolicies(ctx, q.Scope, &iam.ListRolePoliciesInput{RoleName: &f.Name, MaxItems: aws.Int32(maxDocuments)})
			if err == nil {
				more[0] = out.IsTruncated
				for _, name := range out.PolicyNames {
					inline = append(inline, fact.PolicyDocument{Name: name})
				}
			}
			return src, err
		},
		func() (fact.Source, error) {
			out, src, err := c.r.ListAttachedRolePolicies(ctx, q.Scope, &iam.ListAttachedRolePoliciesInput{RoleName: &f.Name, MaxItems: aws.Int32(maxDocuments)})
			if err == nil {
				more[1] = out.IsTruncated
				for _, p := range out.AttachedPolicies {
					attached = append(attached, fact.PolicyDocument{Name: aws.ToString(p.PolicyName), ARN: aws.ToString(p.PolicyArn)})
				}
			}
			return src, err
		},
	)
	documents = append(inline, attached...)
	if len(documents) > maxDocuments {
		documents, more[0] = documents[:maxDocuments], true
	}
	return documents, !more[0] && !more[1], a
}

// documents reads the named policies and the boundary's document into f. What could not be read is left out; of inline policies the names stay.
func (c *Collector) documents(ctx context.Context, q fact.Query, f *fact.RolePolicies, named []fact.PolicyDocument) answer {
	texts := make([]string, len(named)+1) // the boundary's comes last
	var reads []func() (fact.Source, error)
	for i, p := range named {
		reads = append(reads, func() (src fact.Source, err error) {
			if p.ARN != "" {
				texts[i], src, err = c.managed(ctx, q, p.ARN)
				return src, err
			}
			out, src, err := c.r.GetRolePolicy(ctx, q.Scope, &iam.GetRolePolicyInput{RoleName: &f.Name, PolicyName: &p.Name})
			if err == nil {
				texts[i] = decoded(aws.ToString(out.PolicyDocument))
			}
			return src, err
		})
	}
	if f.Boundary != "" {
		reads = append(reads, func() (src fact.Source, err error) {
			texts[len(named)], src, err = c.managed(ctx, q, f.Boundary)
			return src, err
		})
	}
	a := together(reads...)
	f.Documents, f.Bounds = []fact.PolicyDocument{}, texts[len(named)]
	for i, p := range named {
		if p.Document = texts[i]; p.Document != "" {
			f.Documents = append(f.Documents, p)
		} else if p.ARN == "" {
			f.Unread = append(f.Unread, p.Name)
		}
	}
	return a
}

// managed reads the version of a managed policy that is in force.
func (c *Collector) managed(ctx context.Context, q fact.Query, arn string) (string, fact.Source, error) {
	out, src, err := c.r.GetPolicy(ctx, q.Scope, &iam.GetPolicyInput{PolicyArn: &arn})
	if err != nil || out.Policy == nil {
		return "", src, err
	}
	v, src, err := c.r.GetPolicyVersion(ctx, q.Scope, &iam.GetPolicyVersionInput{PolicyArn: &arn, VersionId: out.Policy.DefaultVersionId})
	if err != nil || v.PolicyVersion == nil {
		return "", src, err
	}
	return decoded(aws.ToString(v.PolicyVersion.Document)), src, nil
}

// together makes reads at once; the first failure, in their order, is the answer's.
func together(reads ...func() (fact.Source, error)) answer {
	answers := make([]answer, len(reads))
	var wg sync.WaitGroup
	for i, read := range reads {
		wg.Go(func() { answers[i].src, answers[i].err = read() })
	}
	wg.Wait()
	for _, a := range answers {
		if a.err != nil {
			return a
		}
	}
	return answer{}
}

// decoded is a policy document as IAM sends it: percent-encoded by RFC 3986, in which "+" is itself (API_GetRolePolicy).
func decoded(text string) string {
	if strings.HasPrefix(strings.TrimSpace(text), "{") {
		return text
	}
	if plain, err := url.PathUnescape(text); err == nil {
		return plain
	}
	return text
}

// project reads one CodeBuild project.
func (c *Collector) project(ctx context.Context, q fact.Query) answer {
	out, src, err := c.r.BatchGetProjects(ctx, q.Scope, &codebuild.BatchGetProjectsInput{Names: []string{q.ID}})
	ref := fact.Ref{Scope: q.Scope, Kind: fact.KindProject, ID: q.ID}
	switch {
	case err != nil:
		return answer{err: err, src: src}
	case len(out.Projects) == 0:
		return gone(src, ref)
	}
	p := out.Projects[0]
	f := fact.Project{Seen: seen(ref, src), Name: q.ID, ARN: aws.ToString(p.Arn), Role: aws.ToString(p.ServiceRole)}
	if v := p.VpcConfig; v != nil {
		f.VPC, f.Subnets, f.Groups = aws.ToString(v.VpcId), v.Subnets, v.SecurityGroupIds
	}
	return answer{facts: []fact.Fact{f}}
}

// decode has STS decode the authorization message in Args "message".
func (c *Collector) decode(ctx context.Context, q fact.Query) answer {
	message := q.Args["message"]
	out, src, err := c.r.DecodeAuthorizationMessage(ctx, q.Scope, &sts.DecodeAuthorizationMessageInput{EncodedMessage: &message})
	if err != nil {
		return answer{err: err, src: src}
	}
	f, err := ParseDecoded([]byte(aws.ToString(out.DecodedMessage)))
	if err != nil {
		return answer{err: err, src: src}
	}
	f.Seen = seen(fact.Ref{Scope: q.Scope.Global(), Kind: fact.KindDecoded, ID: q.ID}, src)
	return answer{facts: []fact.Fact{f}}
}

// ParseDecoded reads a decoded authorization message.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_DecodeAuthorizationMessage.html
func ParseDecoded(message []byte) (fact.Decoded, error) {
	var m struct {
		Allowed      bool `json:"allowed"`
		ExplicitDeny bool `json:"explicitDeny"`
		Context      struct {
			Principal struct {
				ARN text `json:"arn"`
			} `json:"principal"`
			Action   text `json:"action"`
			Resource text `json:"resource"`
		} `json:"context"`
	}
	if err := json.Unmarshal(message, &m); err != nil {
		return fact.Decoded{}, fmt.Errorf("read authorization message: %w", err)
	}
	return fact.Decoded{Allowed: m.Allowed, Explicit: m.ExplicitDeny, Principal: string(m.Context.Principal.ARN), Action: string(m.Context.Action), Resource: string(m.Context.Resource)}, nil
}

// policyCheck has Access Analyzer validate the document in Args "document".
func (c *Collector) policyCheck(ctx context.Context, q fact.Query) answer {
	document := q.Args["document"]
	f := fact.PolicyCheck{Findings: []fact.PolicyIssue{}}
	var last fact.Source
	a := pages(func(token string) ([]fact.Fact, string, fact.Source, error) {
		out, src, err := c.r.ValidatePolicy(ctx, q.Scope, &accessanalyzer.ValidatePolicyInput{PolicyDocument: &document, PolicyType: antypes.PolicyTypeIdentityPolicy, NextToken: tokenOf(token)})
		last = src
		if err != nil {
			return nil, "", src, err
		}
		for _, x := range out.Findings {
			f.Findings = append(f.Findings, fact.PolicyIssue{Kind: string(x.FindingType), Code: aws.ToString(x.IssueCode), Text: aws.ToString(x.FindingDetails)})
		}
		return nil, aws.ToString(out.NextToken), src, nil
	})
	if a.err != nil {
		return a
	}
	f.Seen = seen(fact.Ref{Scope: q.Scope.Global(), Kind: fact.KindPolicyCheck, ID: q.ID}, last)
	a.facts = []fact.Fact{f}
	return a
}

// newAccess has Access Analyzer compare the document in Args "document" with the one in Args "existing". AWS charges for it.
func (c *Collector) newAccess(ctx context.Context, q fact.Query) answer {
	document, existing := q.Args["document"], q.Args["existing"]
	out, src, err := c.r.CheckNoNewAccess(ctx, q.Scope, &accessanalyzer.CheckNoNewAccessInput{
		NewPolicyDocument: &document, ExistingPolicyDocument: &existing, PolicyType: antypes.AccessCheckPolicyTypeIdentityPolicy})
	if err != nil {
		return answer{err: err, src: src}
	}
	f := fact.NewAccess{Seen: seen(fact.Ref{Scope: q.Scope.Global(), Kind: fact.KindNewAccess, ID: q.ID}, src), Result: string(out.Result), Message: aws.ToString(out.Message)}
	for _, r := range out.Reasons {
		f.Reasons = append(f.Reasons, aws.ToString(r.Description))
	}
	return answer{facts: []fact.Fact{f}}
}
