using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace FastNN.Hosting.Security;

/// <summary>
/// The keys of a file. The file has their SHA-256 alone: a key is 32 random bytes, so its hash needs neither salt nor stretching.
/// A changed file is read again within two seconds; one that is malformed or missing leaves the present keys and is logged.
/// </summary>
internal sealed partial class ApiKeys
{
    public const string Scheme = "FastNN.ApiKey";
    public const string ScopeClaim = "scope";
    private const string Prefix = "fnn_";

    private static readonly TimeSpan CheckEvery = TimeSpan.FromSeconds(2);

    private readonly string? _path;
    private readonly ILogger<ApiKeys> _logger;
    private readonly TimeProvider _time;
    private readonly Lock _lock = new();
    private (byte[] Hash, ClaimsPrincipal Principal)[] _keys = [];
    private (DateTime Written, long Length) _stamp;
    private long _checked;

    public ApiKeys(IOptions<FastNNServerOptions> options, ILogger<ApiKeys> logger, TimeProvider time)
    {
        _path = options.Value.ApiKeyFile;
        (_logger, _time) = (logger, time);
        _checked = time.GetTimestamp();
        if (_path is not null)
        {
            _stamp = Stamp(_path);
            _keys = Parse(File.ReadAllLines(_path));
        }
    }

    /// <summary>A new key, which is shown once, and the line of the file that admits it.</summary>
    public static (string Key, string Line) Create(string name, IReadOnlyCollection<string> scopes)
    {
        string key = Prefix + System.Buffers.Text.Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
        string line = $"{name} {string.Join(',', scopes)} sha256:{Convert.ToHexStringLower(Hash(key))}";
        Parse([line]);
        return (key, line);
    }

    /// <summary>Who has the key; null where nobody has.</summary>
    public ClaimsPrincipal? Find(string key)
    {
        Refresh();
        byte[] hash = Hash(key);
        ClaimsPrincipal? found = null;
        // To the end even after a match: the time tells nothing of which key was near.
        foreach ((byte[] candidate, ClaimsPrincipal principal) in Volatile.Read(ref _keys))
        {
            if (CryptographicOperations.FixedTimeEquals(candidate, hash))
            {
                found = principal;
            }
        }

        return found;
    }

    internal static (byte[] Hash, ClaimsPrincipal Principal)[] Parse(IReadOnlyList<string> lines)
    {
        var keys = new List<(byte[], ClaimsPrincipal)>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        for (int i = 0; i < lines.Count; i++)
        {
            string line = lines[i].Trim();
            if (line.Length == 0 || line[0] == '#')
            {
                continue;
            }

            string[] fields = line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            string[] scopes = fields.Length == 3 ? fields[1].Split(',') : [];
            byte[]? hash = fields.Length == 3 ? ReadHash(fields[2]) : null;
            if (hash is null || !scopes.All(FastNNScopes.IsKnown))
            {
                throw new InvalidDataException(
                    $"API keys, line {i + 1}: expected NAME SCOPES sha256:HEX, with scopes of infer, manage and metrics joined "
                    + "by commas and 64 hexadecimal digits.");
            }

            if (!names.Add(fields[0]))
            {
                throw new InvalidDataException(
                    $"API keys, line {i + 1}: the name '{fields[0]}' stands twice; give each key its own.");
            }

            Claim[] claims = [new(ClaimTypes.Name, fields[0]), .. scopes.Select(scope => new Claim(ScopeClaim, scope))];
            keys.Add((hash, new ClaimsPrincipal(new ClaimsIdentity(claims, Scheme))));
        }

        return [.. keys];
    }

    private static byte[]? ReadHash(string text)
    {
        const string Algorithm = "sha256:";
        if (!text.StartsWith(Algorithm, StringComparison.Ordinal) || text.Length != Algorithm.Length + 64)
        {
            return null;
        }

        try
        {
            return Convert.FromHexString(text.AsSpan(Algorithm.Length));
        }
        catch (FormatException)
        {
            return null;
        }
    }

    private static byte[] Hash(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));

    private static (DateTime Written, long Length) Stamp(string path)
    {
        var file = new FileInfo(path);
        return file.Exists ? (file.LastWriteTimeUtc, file.Length) : default;
    }

    private void Refresh()
    {
        if (_path is null || _time.GetElapsedTime(Volatile.Read(ref _checked)) < CheckEvery)
        {
            return;
        }

        lock (_lock)
        {
            if (_time.GetElapsedTime(_checked) < CheckEvery)
            {
                return;
            }

            Volatile.Write(ref _checked, _time.GetTimestamp());
            (DateTime, long) stamp = Stamp(_path);
            if (stamp == _stamp)
            {
                return;
            }

            _stamp = stamp;
            try
            {
                (byte[], ClaimsPrincipal)[] keys = Parse(File.ReadAllLines(_path));
                Volatile.Write(ref _keys, keys);
                LogReloaded(keys.Length);
            }
            catch (Exception exception) when (exception is IOException or InvalidDataException or UnauthorizedAccessException)
            {
                LogKept(exception);
            }
        }
    }

    [LoggerMessage(1, LogLevel.Information, "API keys read again: {Count}.")]
    private partial void LogReloaded(int count);

    [LoggerMessage(2, LogLevel.Error, "The changed file of API keys cannot be used; the keys from before stay in force.")]
    private partial void LogKept(Exception exception);
}
