package collect

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/accessanalyzer"
	antypes "github.com/aws/aws-sdk-go-v2/service/accessanalyzer/types"

	"github.com/unjam/unjam/internal/fact"
)

// openings reads the active findings of the account's analyzer of external access about the resource that the query names. No analyzer is a
// fact too.
func (c *Collector) openings(ctx context.Context, q fact.Query) answer {
	f := fact.Openings{Findings: []fact.Opening{}}
	ref := fact.Ref{Scope: q.Scope, Kind: fact.KindOpenings, ID: q.ID}
	a := pages(func(token string) ([]fact.Fact, string, fact.Source, error) {
		out, src, err := c.r.ListAnalyzers(ctx, q.Scope, &accessanalyzer.ListAnalyzersInput{Type: antypes.TypeAccount, NextToken: tokenOf(token)})
		f.Seen = seen(ref, src)
		if err != nil {
			return nil, "", src, err
		}
		for _, x := range out.Analyzers {
			if x.Status == antypes.AnalyzerStatusActive {
				f.Analyzer = aws.ToString(x.Arn)
			}
		}
		return nil, aws.ToString(out.NextToken), src, nil
	})
	if a.err != nil {
		return a
	}
	if f.Analyzer == "" {
		return answer{facts: []fact.Fact{f}}
	}
	a = pages(func(token string) ([]fact.Fact, string, fact.Source, error) {
		out, src, err := c.r.ListFindingsV2(ctx, q.Scope, &accessanalyzer.ListFindingsV2Input{AnalyzerArn: &f.Analyzer, NextToken: tokenOf(token),
			Filter: map[string]antypes.Criterion{"resource": {Eq: []string{q.ID}}, "status": {Eq: []string{string(antypes.FindingStatusActive)}}}})
		f.Seen = seen(ref, src)
		if err != nil {
			return nil, "", src, err
		}
		for _, x := range out.Findings {
			f.Findings = append(f.Findings, fact.Opening{ID: aws.ToString(x.Id), Type: string(x.FindingType), Created: aws.ToTime(x.CreatedAt).UTC(), Updated: aws.ToTime(x.UpdatedAt).UTC()})
		}
		return nil, aws.ToString(out.NextToken), src, nil
	})
	if a.err != nil {
		return a
	}
	return answer{facts: []fact.Fact{f}}
}
