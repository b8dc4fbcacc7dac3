package codebuild

import (
	"strings"
	"time"

	"github.com/unjam/unjam/lab/cloud"
)

// The texts a build fails with. AWS documents the second for a project role without UseConnection; the first is what
// StartBuild says of a role that CodeBuild cannot assume.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/troubleshooting.html#codebuild-role-connections
const (
	assumeText = "CodeBuild is not authorized to perform: sts:AssumeRole on service role. Please verify that: 1) The provided service role exists, 2) The role name is case-sensitive and matches exactly, and 3) The role has the necessary trust policy configured."
	accessText = "Access denied to connection "
)

// build is one run of a project.
type build struct {
	id             string // project:uuid
	of             Project
	number         int
	started, ended time.Time
	fails          string // the phase that failed, "" when none did
	message        string
}

// Build runs a project as a pipeline's build action does, and returns the build's ID, PROJECT:UUID, which is the action's
// external execution ID. A connection's ARN means a full clone (OutputArtifactFormat CODEBUILD_CLONE_REF): the build
// itself fetches the repository through the connection, with the project's role, which needs UseConnection under the prefix of the
// ARN. The error is how the pipeline's action fails; the project itself always exists.
func (s *Service) Build(account, region, project, connectionARN, repo string) (buildID string, failed *cloud.Error) {
	p, _ := s.project(account, region, project)
	b := build{id: project + ":" + s.c.UUID(), of: p, ended: s.c.Now().UTC()}
	b.started = b.ended.Add(-30 * time.Second)
	s.numbers[p.ARN()]++
	b.number = s.numbers[p.ARN()]
	if connectionARN != "" {
		b.fails, b.message = s.clone(p, connectionARN, repo)
	}
	s.builds = append(s.builds, b)
	if b.fails == "" {
		return b.id, nil
	}
	return b.id, cloud.Errorf("JobFailed", "Build terminated with state: FAILED. Phase: %s, Code: CLIENT_ERROR, Message: %s", b.fails, b.message)
}

// clone judges the fetching of a repository: the phase in which it fails and why, "" when it does not.
func (s *Service) clone(p Project, connectionARN, repo string) (phase, message string) {
	role, ok := s.roles.RolePrincipalByARN(p.Role, "AWSCodeBuild")
	if !ok || !s.roles.MayAssume(cloud.Principal{Type: "AWSService", ARN: "codebuild.amazonaws.com"}, p.Role).Allowed {
		return "SUBMITTED", assumeText
	}
	if !s.mayUse(role, p.Region, connectionARN, repo) {
		return "DOWNLOAD_SOURCE", accessText + connectionARN
	}
	return "", ""
}

// mayUse reports whether a role is allowed to pull a repository through a connection. CodeBuild calls the connection
// service itself, so that the action's prefix is the ARN's.
func (s *Service) mayUse(role cloud.Principal, region, connectionARN, repo string) bool {
	parts := strings.SplitN(connectionARN, ":", 4)
	if len(parts) < 4 {
		return false
	}
	prefix := parts[2]
	owner, name, _ := strings.Cut(repo, "/")
	return s.c.Authorize(role, region, cloud.Access{Action: prefix + ":UseConnection", Resource: connectionARN, Context: map[string][]string{
		prefix + ":FullRepositoryId": {repo}, prefix + ":OwnerId": {owner}, prefix + ":RepositoryName": {name},
		prefix + ":ProviderAction": {"GitPull"}, prefix + ":ProviderPermissionsRequired": {"read_only"},
	}}).Allowed
}

func (b build) show() map[string]any {
	status := "SUCCEEDED"
	if b.fails != "" {
		status = "FAILED"
	}
	m := b.of.show()
	out := map[string]any{
		"id": b.id, "arn": "arn:aws:codebuild:" + b.of.Region + ":" + b.of.Account + ":build/" + b.id, "buildNumber": b.number,
		"startTime": b.started, "endTime": b.ended, "currentPhase": "COMPLETED", "buildStatus": status, "buildComplete": true,
		"projectName": b.of.Name, "serviceRole": b.of.Role, "phases": b.phases(), "source": m["source"], "environment": m["environment"], "cache": m["cache"],
		"timeoutInMinutes": 60, "queuedTimeoutInMinutes": 480, "initiator": "codepipeline",
		"logs": map[string]any{"groupName": "/aws/codebuild/" + b.of.Name, "streamName": b.id[strings.LastIndexByte(b.id, ':')+1:]},
	}
	if b.of.VPC != "" {
		out["vpcConfig"] = b.of.network()
	}
	return out
}

// phases end with the one that failed, FINALIZING aside, and COMPLETED.
func (b build) phases() []any {
	all := []any{}
	at := b.started
	for _, name := range []string{"SUBMITTED", "QUEUED", "PROVISIONING", "DOWNLOAD_SOURCE", "INSTALL", "PRE_BUILD", "BUILD", "POST_BUILD", "UPLOAD_ARTIFACTS", "FINALIZING"} {
		phase := map[string]any{"phaseType": name, "phaseStatus": "SUCCEEDED", "startTime": at, "endTime": at.Add(2 * time.Second), "durationInSeconds": 2}
		at = at.Add(2 * time.Second)
		if name != b.fails {
			all = append(all, phase)
			continue
		}
		phase["phaseStatus"] = "FAILED"
		phase["contexts"] = []any{map[string]any{"statusCode": "CLIENT_ERROR", "message": b.message}}
		all = append(all, phase)
		break
	}
	return append(all, map[string]any{"phaseType": "COMPLETED", "startTime": b.ended})
}
