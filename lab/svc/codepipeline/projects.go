package codepipeline

import "slices"

// Projects lists the CodeBuild projects that the build and test actions of an account's pipelines in a Region name, sorted.
func (s *Service) Projects(account, region string) []string {
	var all []string
	for _, p := range s.sorted() {
		if _, alive := p.seen.Truth(); !alive || p.account != account || p.region != region {
			continue
		}
		_, actions := stagesOf(p.current())
		for _, list := range actions {
			for _, a := range list {
				if name := a.configuration()["ProjectName"]; a.typeOf("provider") == "CodeBuild" && name != "" {
					all = append(all, name)
				}
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
