package app

import (
	"strings"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
)

// undeployed says of target stacks that no pipeline that was read deploys them: then nothing is said of them either.
func undeployed(s *fact.Snapshot) []string {
	var all []string
	for _, t := range s.Question().Targets {
		if t.Kind != fact.KindStackState {
			continue
		}
		deploys := false
		for p := range fact.All[fact.Pipeline](s) {
			deploys = deploys || fault.Deploys(p, t.Name)
		}
		if !deploys {
			all = append(all, "no pipeline that could be read in "+strings.Join(s.Question().Regions, ", ")+" deploys the stack "+fact.StackName(t.Name)+
				": aws cloudformation describe-stack-events --region "+t.Region+" --stack-name "+fact.StackName(t.Name)+" tells what became of it")
		}
	}
	return all
}
