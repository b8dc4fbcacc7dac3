package collect

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"github.com/unjam/unjam/internal/fact"
)

// trigger is a declared trigger with its filters.
func trigger(g types.GitConfiguration) fact.Trigger {
	t := fact.Trigger{Action: aws.ToString(g.SourceActionName)}
	for _, f := range g.Push {
		one := fact.GitFilter{Branches: branches(f.Branches), Files: files(f.FilePaths)}
		if f.Tags != nil {
			one.Tags = &fact.Criteria{Includes: f.Tags.Includes, Excludes: f.Tags.Excludes}
		}
		t.Push = append(t.Push, one)
	}
	for _, f := range g.PullRequest {
		one := fact.GitFilter{Branches: branches(f.Branches), Files: files(f.FilePaths)}
		for _, e := range f.Events {
			one.Events = append(one.Events, string(e))
		}
		t.Pull = append(t.Pull, one)
	}
	return t
}

func branches(c *types.GitBranchFilterCriteria) *fact.Criteria {
	if c == nil {
		return nil
	}
	return &fact.Criteria{Includes: c.Includes, Excludes: c.Excludes}
}

func files(c *types.GitFilePathFilterCriteria) *fact.Criteria {
	if c == nil {
		return nil
	}
	return &fact.Criteria{Includes: c.Includes, Excludes: c.Excludes}
}
