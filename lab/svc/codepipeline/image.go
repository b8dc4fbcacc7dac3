package codepipeline

import (
	"strings"
	"time"

	"github.com/unjam/unjam/lab/cloud"
)

// Images finds the images of ECR source actions.
type Images interface {
	// Image finds the image that a tag points at, or the one of a digest. missing says what there is not: the repository, or the image.
	Image(account, region, repository, tag, digest string) (found Image, missing string)
}

// Image is what an ECR source action takes.
type Image struct {
	Digest string
	Pushed time.Time
}

// PullFrom says who holds the images of ECR source actions. Without one, every such action succeeds.
func (s *Service) PullFrom(i Images) { s.images = i }

// isImage reports whether an action is an ECR source.
func (d declared) isImage() bool {
	return d.typeOf("category") == "Source" && d.typeOf("owner") == "AWS" && d.typeOf("provider") == "ECR"
}

// pull looks the image of an ECR source action up, with the rights of the role that the action runs with. What the action says of an
// image that is not there is not documented: the words are the lab's own.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-ECR.html
func (p *pipeline) pull(run *actionRun, role cloud.Principal) outcome {
	conf, pin := run.decl.configuration(), run.e.inputs.pins[run.name]
	repository, tag := conf["RepositoryName"], conf["ImageTag"]
	if tag == "" {
		tag = "latest"
	}
	arn := "arn:aws:ecr:" + p.region + ":" + p.account + ":repository/" + repository
	look := call{service: "ecr", operation: "DescribeImages", product: "AmazonECR", status: 400, denied: "AccessDeniedException",
		in:     map[string]any{"repositoryName": repository, "imageIds": []any{map[string]any{"imageTag": tag}}},
		access: []cloud.Access{{Action: "ecr:DescribeImages", Resource: arn}}}
	if o := p.s.make(look, role, p.account, p.region); o != nil {
		return *o
	}
	found, missing := p.s.images.Image(p.account, p.region, repository, tag, pin.commit)
	switch missing {
	case "":
	case "repository":
		return outcome{code: "ConfigurationError", message: "The repository " + repository + " was not found in the registry " + p.account}
	default:
		return outcome{code: "ConfigurationError", message: "The image with tag " + tag + " was not found in the repository " + repository}
	}
	artifact := ""
	if outs := artifacts(run.decl["outputArtifacts"]); len(outs) > 0 {
		artifact = outs[0]
	}
	uri := p.account + ".dkr.ecr." + p.region + ".amazonaws.com/" + repository + "@" + found.Digest
	return outcome{
		revision:  &revision{run.name, artifact, found.Digest, "Image " + tag + " of " + repository, "https://" + p.region + ".console.aws.amazon.com/ecr/repositories/" + repository, found.Pushed},
		variables: map[string]any{"RegistryId": p.account, "RepositoryName": repository, "ImageTag": tag, "ImageDigest": found.Digest, "ImageURI": uri},
	}
}

// Trigger starts a pipeline for a rule of Amazon EventBridge, as the role of the rule's target. Another start within the input, source
// revisions, is taken as StartPipelineExecution takes it.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/create-cwe-ecr-source.html
func (s *Service) Trigger(role cloud.Principal, region, name, rule string, input map[string]any) error {
	in := map[string]any{"name": name}
	switch x := input["sourceRevisions"].(type) {
	case []any:
		in["sourceRevisions"] = x
	case map[string]any:
		in["sourceRevisions"] = []any{x}
	}
	r := &cloud.Request{Cloud: s.c, Time: s.c.Now(), Service: "codepipeline", Operation: "StartPipelineExecution", Region: region, Caller: role, In: in}
	const by = "events.amazonaws.com"
	e := cloud.Event{RequestID: s.c.TraceID(), Time: s.c.Now(), Name: r.Operation, Source: principal, Account: role.Account, Region: region, Caller: role,
		Origin: cloud.Origin{UserAgent: by, SourceIP: by, InvokedBy: by}, Request: in}
	access := cloud.Access{Action: "codepipeline:StartPipelineExecution", Resource: ARN(role.Account, region, name)}
	if d := s.c.Authorize(role, region, access); !d.Allowed {
		err := cloud.Denied(role, access, d)
		e.ErrorCode, e.ErrorText = err.Code, err.Message
		s.c.Record(e)
		return err
	}
	out, err := s.begin(r, trigger{"CloudWatchEvent", rule})
	if err != nil {
		code, text, _ := strings.Cut(err.Error(), ": ")
		e.ErrorCode, e.ErrorText = code, text
	}
	e.Response = out
	s.c.Record(e)
	return err
}
