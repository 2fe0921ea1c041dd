using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using FastNN.Cli.Serving;
using Microsoft.Extensions.Time.Testing;

namespace FastNN.Hosting.Tests.Serve;

/// <summary>TLS with certificates that the tests make.</summary>
public sealed class ServeTlsTests : ServeFixture
{
    private static readonly float[] X = [1, 2, 3, 4, 5, 6];

    [Test]
    public async Task Both_protocols_speak_TLS_and_one_port_is_enough()
    {
        WriteCertificate("first");
        await using ServedCommand server = await ServedCommand.StartAsync(
            Models, "--tls-certificate", At("server.pem"), "--tls-key", At("server.key"));
        Assert.That(server.Rest.Scheme, Is.EqualTo("https"));
        foreach (Uri address in (Uri[])[server.Rest, server.Grpc])
        {
            using HttpClient client = Client(address, handler: Trusting("CN=first"));
            Assert.That((await GrpcAsync(client, "ModelInfer", GrpcRequest(X))).Status, Is.Zero);
        }

        using HttpClient rest = Client(server.Rest, handler: Trusting("CN=first"));
        using HttpResponseMessage answer = await InferAsync(rest, X);
        Assert.That(await OutputAsync(answer), Is.EqualTo(Expected(X)).Within(1e-5));
        string port = server.Rest.Port.ToString(CultureInfo.InvariantCulture);
        Assert.That(ServedCommand.Run("--is-ready", "--port", port, "--tls-certificate", At("server.pem")).Code, Is.Zero);
        WriteCertificate("other");
        Assert.That(
            ServedCommand.Run("--is-ready", "--port", port, "--tls-certificate", At("server.pem")).Code, Is.EqualTo(1),
            "another server");
        using HttpClient distrusting = Client(server.Rest);
        Assert.ThrowsAsync<HttpRequestException>(() => distrusting.GetAsync("/v2"));
        using HttpClient plain = Client(new UriBuilder(server.Rest) { Scheme = "http" }.Uri);
        Assert.ThrowsAsync<HttpRequestException>(() => plain.GetAsync("/v2"));
    }

    [Test]
    public void A_changed_certificate_is_read_again_and_a_damaged_one_is_not_used()
    {
        var time = new FakeTimeProvider();
        WriteCertificate("first");
        var certificate = new ServerCertificate(At("server.pem"), At("server.key"), time);
        Assert.That(certificate.Current.TargetCertificate.Subject, Is.EqualTo("CN=first"));
        WriteCertificate("second");
        File.SetLastWriteTimeUtc(At("server.pem"), DateTime.UtcNow.AddMinutes(1));
        Assert.That(certificate.Current.TargetCertificate.Subject, Is.EqualTo("CN=first"), "it is looked at every ten seconds");
        time.Advance(TimeSpan.FromSeconds(10));
        Assert.That(certificate.Current.TargetCertificate.Subject, Is.EqualTo("CN=second"));
        File.WriteAllText(At("server.pem"), "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
        File.SetLastWriteTimeUtc(At("server.pem"), DateTime.UtcNow.AddMinutes(2));
        time.Advance(TimeSpan.FromSeconds(10));
        Assert.That(certificate.Current.TargetCertificate.Subject, Is.EqualTo("CN=second"));
    }

    private static SocketsHttpHandler Trusting(string subject) => new()
    {
        SslOptions = new SslClientAuthenticationOptions
        {
            RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate?.Subject == subject,
        },
    };

    private void WriteCertificate(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using X509Certificate2 certificate = request.CreateSelfSigned(
            DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        File.WriteAllText(At("server.pem"), certificate.ExportCertificatePem());
        File.WriteAllText(At("server.key"), key.ExportPkcs8PrivateKeyPem());
    }
}
