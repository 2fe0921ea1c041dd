using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace FastNN.Cli.Serving;

/// <summary>
/// `fastnn serve --is-ready`: asks the server that runs with the same options on this machine, as an image's HEALTHCHECK does,
/// which has no other program that could.
/// </summary>
internal static class ReadyCheck
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>Asks, and tells the answer.</summary>
    /// <returns>0 where all models are ready, else 1.</returns>
    public static int Ask(ServeValues values, TextWriter output)
    {
        IPAddress host = ServeSettings.ReadHost(values);
        host = host.Equals(IPAddress.Any) ? IPAddress.Loopback : host.Equals(IPAddress.IPv6Any) ? IPAddress.IPv6Loopback : host;
        int port = ServeSettings.ReadPort(values);
        string? certificate = values.ExistingFile("tls-certificate");
        var address = new UriBuilder(certificate is null ? "http" : "https", host.ToString(), port, "/v2/health/ready");
        using var handler = new SocketsHttpHandler
        {
            UseProxy = false,
            SslOptions = new SslClientAuthenticationOptions
            {
                // The server's own certificate need not name this machine's address, nor be signed by one that it trusts.
                RemoteCertificateValidationCallback = (_, shown, _, _) => IsOf(certificate!, shown),
            },
        };
        using var client = new HttpClient(handler) { Timeout = Patience };
        try
        {
            using HttpResponseMessage answer = client.Send(new HttpRequestMessage(HttpMethod.Get, address.Uri));
            output.WriteLine(answer.IsSuccessStatusCode
                ? "ready"
                : $"not ready: {address.Uri} answered {(int)answer.StatusCode}; /v2/repository/index tells why");
            return answer.IsSuccessStatusCode ? 0 : 1;
        }
        catch (Exception exception) when (exception is HttpRequestException or TaskCanceledException)
        {
            string reason = exception is TaskCanceledException
                ? $"there was no answer within {Patience.TotalSeconds} s"
                : exception.Message;
            output.WriteLine($"not ready: {address.Uri}: {reason}");
            return 1;
        }
    }

    private static bool IsOf(string file, X509Certificate? shown)
    {
        using X509Certificate2 own = X509CertificateLoader.LoadCertificateFromFile(file);
        return shown?.GetRawCertData().AsSpan().SequenceEqual(own.RawDataMemory.Span) == true;
    }
}
