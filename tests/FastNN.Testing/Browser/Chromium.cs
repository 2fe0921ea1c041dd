using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;

namespace FastNN.Testing.Browser;

/// <summary>A headless Chromium with a new profile, driven by the DevTools protocol.</summary>
public sealed class Chromium : IDisposable
{
    private const int MostAttempts = 200;
    private const string Listening = "DevTools listening on ";

    // Without a network it is to ask for nothing by itself.
    private static readonly string[] Flags =
    [
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
        "--disable-extensions", "--disable-background-networking", "--disable-component-update", "--disable-sync",
        "--remote-debugging-port=0",
    ];

    private readonly Process _process;
    private readonly string _profile;
    private Uri? _address;

    private Chromium(Process process, string profile) => (_process, _profile) = (process, profile);

    /// <summary>The browser of this machine; null where there is none.</summary>
    public static string? Find()
    {
        if (Environment.GetEnvironmentVariable("FASTNN_CHROMIUM") is { Length: > 0 } given)
        {
            return given;
        }

        string[] names = ["chromium", "chromium-browser", "google-chrome"];
        return (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
            .SelectMany(folder => names.Select(name => Path.Combine(folder, name))).FirstOrDefault(File.Exists);
    }

    /// <summary>As <see cref="Find"/>; skips the test where there is none.</summary>
    public static string FindOrIgnore()
    {
        string? browser = Find();
        if (browser is null)
        {
            Assert.Ignore("no browser: neither FASTNN_CHROMIUM nor chromium, chromium-browser or google-chrome in PATH");
        }

        return browser!;
    }

    /// <summary>Starts the browser.</summary>
    public static async Task<Chromium> StartAsync()
    {
        string browser = FindOrIgnore(), profile = Directory.CreateTempSubdirectory("fastnn-browser-").FullName;
        string[] arguments = [.. Flags, $"--user-data-dir={profile}", "about:blank"];
        Process process = Process.Start(new ProcessStartInfo(browser, arguments) { RedirectStandardError = true })!;
        var made = new Chromium(process, profile);
        string errors = "";
        try
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
            while (await process.StandardError.ReadLineAsync(limit.Token) is { } line)
            {
                errors += line + "\n";
                if (line.StartsWith(Listening, StringComparison.Ordinal))
                {
                    made._address = new Uri(line[Listening.Length..]);

                    // What it says later must not fill the pipe.
                    _ = process.StandardError.BaseStream.CopyToAsync(Stream.Null, CancellationToken.None);
                    return made;
                }
            }
        }
        catch (OperationCanceledException)
        {
            errors += "(two minutes have passed)";
        }

        made.Dispose();
        throw new InvalidOperationException($"the browser does not start: {errors}");
    }

    /// <summary>Opens an empty page.</summary>
    public async Task<BrowserPage> OpenAsync()
    {
        using var client = new HttpClient { BaseAddress = new Uri($"http://{_address!.Authority}/") };
        using HttpResponseMessage made = await client.PutAsync(new Uri("json/new?about:blank", UriKind.Relative), null);
        JsonElement target = await made.Content.ReadFromJsonAsync<JsonElement>();
        return await BrowserPage.ConnectAsync(new Uri(target.GetProperty("webSocketDebuggerUrl").GetString()!));
    }

    /// <summary>Ends it with all its processes, and removes its profile.</summary>
    public void Dispose()
    {
        _process.Kill(entireProcessTree: true);
        _process.WaitForExit();
        _process.Dispose();

        // Its children end a little later, and write until then.
        for (int attempt = 0; Directory.Exists(_profile); attempt++)
        {
            try
            {
                Directory.Delete(_profile, recursive: true);
            }
            catch (IOException) when (attempt < MostAttempts)
            {
                Thread.Sleep(50);
            }
        }
    }
}
