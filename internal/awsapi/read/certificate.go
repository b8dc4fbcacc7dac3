package read

import (
	"context"
	"unsafe"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/route53"

	"github.com/unjam/unjam/internal/fact"
)

func (r *Reader) certificates(scope fact.Scope) *acm.Client {
	return (*acm.Client)(r.client("acm", r.Region(scope), func(c aws.Config) unsafe.Pointer { return unsafe.Pointer(acm.NewFromConfig(c)) }))
}

func (r *Reader) zones(scope fact.Scope) *route53.Client {
	return (*route53.Client)(r.client("route53", r.Region(scope), func(c aws.Config) unsafe.Pointer { return unsafe.Pointer(route53.NewFromConfig(c)) }))
}

// DescribeCertificate calls acm:DescribeCertificate; the scope's Region must be the certificate's.
func (r *Reader) DescribeCertificate(ctx context.Context, scope fact.Scope, arn string) (*acm.DescribeCertificateOutput, fact.Source, error) {
	out, _, src, err := call(ctx, r, scope, "acm", "DescribeCertificate", r.certificates(scope).DescribeCertificate, &acm.DescribeCertificateInput{CertificateArn: &arn})
	return out, src, err
}

// ListCertificates calls acm:ListCertificates, one page.
func (r *Reader) ListCertificates(ctx context.Context, scope fact.Scope, in *acm.ListCertificatesInput) (*acm.ListCertificatesOutput, fact.Source, error) {
	out, _, src, err := call(ctx, r, scope, "acm", "ListCertificates", r.certificates(scope).ListCertificates, in)
	return out, src, err
}

// GetHostedZone calls route53:GetHostedZone.
func (r *Reader) GetHostedZone(ctx context.Context, scope fact.Scope, id string) (*route53.GetHostedZoneOutput, fact.Source, error) {
	out, _, src, err := call(ctx, r, scope, "route53", "GetHostedZone", r.zones(scope).GetHostedZone, &route53.GetHostedZoneInput{Id: &id})
	return out, src, err
}

// ListHostedZones calls route53:ListHostedZones, one page.
func (r *Reader) ListHostedZones(ctx context.Context, scope fact.Scope, in *route53.ListHostedZonesInput) (*route53.ListHostedZonesOutput, fact.Source, error) {
	out, _, src, err := call(ctx, r, scope, "route53", "ListHostedZones", r.zones(scope).ListHostedZones, in)
	return out, src, err
}

// ListResourceRecordSets calls route53:ListResourceRecordSets, one page.
func (r *Reader) ListResourceRecordSets(ctx context.Context, scope fact.Scope, in *route53.ListResourceRecordSetsInput) (*route53.ListResourceRecordSetsOutput, fact.Source, error) {
	out, _, src, err := call(ctx, r, scope, "route53", "ListResourceRecordSets", r.zones(scope).ListResourceRecordSets, in)
	return out, src, err
}
