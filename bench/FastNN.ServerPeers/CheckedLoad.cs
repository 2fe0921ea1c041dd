using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Sockets;

namespace FastNN.ServerPeers;

/// <summary>
/// What versions of <see cref="Networks.Versioned"/> answer to the same examples. A version is told before its file is there.
/// </summary>
internal sealed class Versions(float[][] examples)
{
    private readonly ConcurrentDictionary<int, float[][]> _answers = new();

    public float[][] Examples { get; } = examples;

    public int Newest { get; private set; }

    /// <summary>Makes the next version, and puts it at a path in place of the one before.</summary>
    public void Publish(string path)
    {
        int version = Newest + 1;
        Sequential network = Networks.Versioned(version);
        _answers[version] = [.. Examples.Select(example => Networks.Reference(network, example))];
        Newest = version;
        Networks.Export(network, path);
    }

    /// <summary>Whether an answer to an example is the one of the version that it names.</summary>
    public bool IsRight(int example, ReadOnlySpan<float> answer, out int version)
    {
        version = answer.Length > Networks.Classes ? (int)answer[Networks.Classes] : 0;
        return _answers.TryGetValue(version, out float[][]? all) && Networks.Matches(answer, all[example]);
    }
}

/// <summary>
/// Connections that ask without a pause and compare every answer, on threads of their own. On one connection no version may
/// answer behind a newer one.
/// </summary>
internal sealed class CheckedLoad
{
    private readonly Thread[] _threads;
    private readonly byte[][] _requests;
    private readonly Versions _versions;
    private readonly int _port;
    private readonly ConcurrentDictionary<string, long> _failures = new();
    private readonly ConcurrentDictionary<int, bool> _seen = new();
    private long _answered;
    private volatile bool _stopping;

    public CheckedLoad(int port, string model, Versions versions, int connections)
    {
        (_port, _versions) = (port, versions);
        _requests = [.. versions.Examples.Select(example => Requests.Binary(model, example).ToHttp1())];
        _threads = [.. Enumerable.Range(0, connections).Select(i => new Thread(() => Run(i)))];
        Array.ForEach(_threads, thread => thread.Start());
    }

    /// <summary>Right answers.</summary>
    public long Answered => Interlocked.Read(ref _answered);

    /// <summary>Requests without the right answer.</summary>
    public long Failed => _failures.Values.Sum();

    /// <summary>Versions that answered.</summary>
    public int SeenVersions => _seen.Count;

    /// <summary>What failed, and how often.</summary>
    public string Failures => string.Join("; ", _failures.Select(failure =>
        string.Create(CultureInfo.InvariantCulture, $"{failure.Value} x {failure.Key}")));

    public void Stop()
    {
        _stopping = true;
        Array.ForEach(_threads, thread => thread.Join());
    }

    private void Run(int seed)
    {
        RawHttp? connection = null;
        int last = 0;
        for (int i = seed; !_stopping; i++)
        {
            try
            {
                connection ??= new RawHttp(_port);
                int example = i % _requests.Length;
                int status = connection.Send(_requests[example]);
                int version = 0;
                if (status != 200)
                {
                    Count(string.Create(CultureInfo.InvariantCulture, $"status {status}"));
                }
                else if (!_versions.IsRight(example, Requests.Tail(connection.Body, Networks.Classes + 1), out version))
                {
                    Count("wrong answer");
                }
                else if (version < last)
                {
                    Count("an older version behind a newer one");
                }
                else
                {
                    Interlocked.Increment(ref _answered);
                }

                if (version > last)
                {
                    last = version;
                    _seen.TryAdd(version, true);
                }

                if (connection.IsClosing)
                {
                    connection.Dispose();
                    connection = null;
                }
            }
            catch (Exception error) when (error is IOException or SocketException or InvalidDataException)
            {
                Count(error.Message);
                connection?.Dispose();
                connection = null;
                // A server that is gone must not fill the table within seconds.
                Thread.Sleep(100);
            }
        }

        connection?.Dispose();
    }

    private void Count(string failure) => _failures.AddOrUpdate(failure, 1, (_, count) => count + 1);
}
