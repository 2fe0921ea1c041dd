using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;

namespace FastNN.Cli.Serving;

/// <summary>
/// A certificate and those that signed it, from PEM files. Files that changed are read again, within ten seconds, for new
/// connections; where that fails, the certificate from before stays.
/// </summary>
internal sealed class ServerCertificate
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(10);

    private readonly string _certificate;
    private readonly string _key;
    private readonly TimeProvider _time;
    private readonly Lock _lock = new();
    private SslStreamCertificateContext _content;
    private (DateTime, DateTime) _stamp;
    private long _looked;

    public ServerCertificate(string certificate, string key, TimeProvider time)
    {
        (_certificate, _key, _time) = (certificate, key, time);
        _stamp = Stamp();
        _content = Read();
        _looked = time.GetTimestamp();
    }

    /// <summary>Is told where changed files cannot be used.</summary>
    public ILogger? Logger { get; set; }

    /// <summary>What new connections get.</summary>
    public SslStreamCertificateContext Current
    {
        get
        {
            lock (_lock)
            {
                if (_time.GetElapsedTime(_looked) >= LookEvery)
                {
                    _looked = _time.GetTimestamp();
                    Refresh();
                }

                return _content;
            }
        }
    }

    private (DateTime, DateTime) Stamp() => (File.GetLastWriteTimeUtc(_certificate), File.GetLastWriteTimeUtc(_key));

    private void Refresh()
    {
        (DateTime, DateTime) stamp = Stamp();
        if (stamp == _stamp)
        {
            return;
        }

        _stamp = stamp;
        try
        {
            // The one before is not disposed: connections may be shaking hands with it.
            _content = Read();
        }
        catch (Exception exception) when (exception is CliException or IOException or UnauthorizedAccessException)
        {
            Logger?.LogCertificateKept(exception.Message);
        }
    }

    private SslStreamCertificateContext Read()
    {
        try
        {
            X509Certificate2 own = X509Certificate2.CreateFromPemFile(_certificate, _key);
            if (OperatingSystem.IsWindows())
            {
                // Windows' TLS cannot use a key that lives in memory alone.
                using X509Certificate2 inMemory = own;
                own = X509CertificateLoader.LoadPkcs12(inMemory.Export(X509ContentType.Pkcs12), null);
            }

            var chain = new X509Certificate2Collection();
            chain.ImportFromPemFile(_certificate);
            return SslStreamCertificateContext.Create(own, [.. chain.Skip(1)], offline: true);
        }
        catch (Exception exception) when (exception is CryptographicException or ArgumentException)
        {
            throw Failure.OfUsage(
                $"--tls-certificate '{_certificate}' and --tls-key '{_key}': expected PEM files of a certificate and its private "
                + $"key: {exception.Message}");
        }
    }
}
