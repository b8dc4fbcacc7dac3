package codepipeline

import (
	"maps"
	"time"

	"github.com/unjam/unjam/lab/cloud"
)

// Definition is a pipeline as it was written last, whatever readers see so far. It shares nothing with the service.
type Definition struct {
	Name, ARN        string
	Version          int
	Declaration      map[string]any // as GetPipeline shows it: secrets masked
	Created, Updated time.Time
	Tags             map[string]string
}

// Definition finds a pipeline as written last; false when there is none.
func (s *Service) Definition(account, region, name string) (Definition, bool) {
	p := s.pipelines[key(account, region, name)]
	if p == nil {
		return Definition{}, false
	}
	if _, alive := p.seen.Truth(); !alive {
		return Definition{}, false
	}
	return Definition{
		Name: p.name, ARN: p.arn(), Version: p.number(), Declaration: clone(p.current()),
		Created: p.created, Updated: p.versions[p.number()-1].at, Tags: maps.Clone(p.tags),
	}, true
}

// Names lists the pipelines of an account in a Region that exist, sorted.
func (s *Service) Names(account, region string) []string {
	var all []string
	for _, p := range s.sorted() {
		if _, alive := p.seen.Truth(); alive && p.account == account && p.region == region {
			all = append(all, p.name)
		}
	}
	return all
}

// changed reports that the pipeline was written.
func (p *pipeline) changed() {
	p.s.c.Changed(cloud.Change{Type: "AWS::CodePipeline::Pipeline", Account: p.account, Region: p.region, Name: p.name})
}

// retagged reports that the tags of a resource were written, when it is a pipeline.
func (s *Service) retagged(arn string) {
	for _, p := range s.pipelines {
		if p.arn() == arn {
			p.changed()
			return
		}
	}
}
