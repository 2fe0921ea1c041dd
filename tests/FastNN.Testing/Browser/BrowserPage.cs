using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.WebSockets;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace FastNN.Testing.Browser;

/// <summary>A page of a browser: commands of the DevTools protocol over a WebSocket, and what the page complained of.</summary>
public sealed class BrowserPage : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly ClientWebSocket _socket = new();
    private readonly ConcurrentDictionary<int, TaskCompletionSource<JsonElement>> _waiting = new();
    private readonly ConcurrentQueue<string> _errors = new();
    private readonly SemaphoreSlim _sending = new(1);
    private Task _reading = Task.CompletedTask;
    private int _last;

    private BrowserPage()
    {
    }

    /// <summary>Errors in the console, exceptions of scripts, and resources that did not load.</summary>
    public IReadOnlyList<string> Errors => [.. _errors];

    /// <summary>Connects to a page.</summary>
    internal static async Task<BrowserPage> ConnectAsync(Uri address)
    {
        var page = new BrowserPage();
        await page._socket.ConnectAsync(address, CancellationToken.None);
        page._reading = page.ReadAsync();
        foreach (string domain in (string[])["Page", "Runtime", "Log", "Network"])
        {
            await page.SendAsync($"{domain}.enable");
        }

        return page;
    }

    /// <summary>Sends a command.</summary>
    /// <returns>Its result.</returns>
    public async Task<JsonElement> SendAsync(string method, JsonObject? parameters = null)
    {
        int id = Interlocked.Increment(ref _last);
        var answer = new TaskCompletionSource<JsonElement>(TaskCreationOptions.RunContinuationsAsynchronously);
        _waiting[id] = answer;
        var message = new JsonObject { ["id"] = id, ["method"] = method, ["params"] = parameters ?? [] };
        await _sending.WaitAsync();
        try
        {
            await _socket.SendAsync(
                JsonSerializer.SerializeToUtf8Bytes(message), WebSocketMessageType.Text, true, CancellationToken.None);
        }
        finally
        {
            _sending.Release();
        }

        return await answer.Task.WaitAsync(Patience);
    }

    /// <summary>How wide and high the page is, and whether the system is dark.</summary>
    public async Task SetSizeAsync(int width, int height, bool dark = false)
    {
        await SendAsync("Emulation.setDeviceMetricsOverride", new JsonObject
        {
            ["width"] = width,
            ["height"] = height,
            ["deviceScaleFactor"] = 1,
            ["mobile"] = width < 600,
        });
        await SendAsync("Emulation.setEmulatedMedia", new JsonObject
        {
            ["features"] = new JsonArray(new JsonObject
            {
                ["name"] = "prefers-color-scheme",
                ["value"] = dark ? "dark" : "light",
            }),
        });
    }

    /// <summary>Goes to an address.</summary>
    public Task GoAsync(Uri address) => SendAsync("Page.navigate", new JsonObject { ["url"] = address.AbsoluteUri });

    /// <summary>The value of an expression, awaited where it is a promise.</summary>
    public async Task<JsonElement> EvaluateAsync(string expression)
    {
        JsonElement result = await SendAsync("Runtime.evaluate", new JsonObject
        {
            ["expression"] = expression,
            ["awaitPromise"] = true,
            ["returnByValue"] = true,
            ["userGesture"] = true,
        });
        if (result.TryGetProperty("exceptionDetails", out JsonElement exception))
        {
            throw new InvalidOperationException($"{expression}: {exception}");
        }

        return result.GetProperty("result").TryGetProperty("value", out JsonElement value) ? value : default;
    }

    /// <summary>Waits until an expression is true.</summary>
    public async Task WaitForAsync(string expression)
    {
        var time = Stopwatch.StartNew();
        while (true)
        {
            // Of a page that is still to come, elements are missing.
            JsonElement value = await EvaluateAsync($"(() => {{ try {{ return {expression}; }} catch {{ return null; }} }})()");
            if (value.ValueKind == JsonValueKind.True)
            {
                return;
            }

            if (time.Elapsed > Patience)
            {
                string text = (await EvaluateAsync("document.body?.innerText ?? ''")).GetString() ?? "";
                throw new TimeoutException(
                    $"{expression} stayed {value}; the page says: {text}; errors: {string.Join("; ", Errors)}");
            }

            await Task.Delay(100);
        }
    }

    /// <summary>The page as a PNG, all of it.</summary>
    public async Task<byte[]> ScreenshotAsync()
    {
        JsonElement result = await SendAsync(
            "Page.captureScreenshot", new JsonObject { ["format"] = "png", ["captureBeyondViewport"] = true });
        return result.GetProperty("data").GetBytesFromBase64();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _socket.Abort();
        await _reading;
        _socket.Dispose();
        _sending.Dispose();
    }

    private async Task ReadAsync()
    {
        var buffer = new byte[1 << 16];
        using var message = new MemoryStream();
        try
        {
            while (true)
            {
                ValueWebSocketReceiveResult part = await _socket.ReceiveAsync(buffer.AsMemory(), CancellationToken.None);
                message.Write(buffer, 0, part.Count);
                if (part.EndOfMessage)
                {
                    Take(JsonDocument.Parse(message.ToArray()).RootElement);
                    message.SetLength(0);
                }
            }
        }
        catch (Exception exception) when (exception is WebSocketException or OperationCanceledException or ObjectDisposedException
            or JsonException)
        {
            foreach (TaskCompletionSource<JsonElement> waiting in _waiting.Values)
            {
                waiting.TrySetException(new InvalidOperationException("the browser has gone", exception));
            }
        }
    }

    private void Take(JsonElement message)
    {
        if (message.TryGetProperty("id", out JsonElement id))
        {
            if (_waiting.TryRemove(id.GetInt32(), out TaskCompletionSource<JsonElement>? waiting))
            {
                if (message.TryGetProperty("error", out JsonElement error))
                {
                    waiting.SetException(new InvalidOperationException(error.ToString()));
                }
                else
                {
                    waiting.SetResult(message.GetProperty("result"));
                }
            }

            return;
        }

        JsonElement details = message.GetProperty("params");
        switch (message.GetProperty("method").GetString())
        {
            case "Runtime.exceptionThrown":
                _errors.Enqueue(details.GetProperty("exceptionDetails").ToString());
                break;
            case "Runtime.consoleAPICalled" when details.GetProperty("type").GetString() is "error" or "warning":
                _errors.Enqueue(details.GetProperty("args").ToString());
                break;
            case "Log.entryAdded" when details.GetProperty("entry").GetProperty("level").GetString() is "error" or "warning":
                _errors.Enqueue(details.GetProperty("entry").ToString());
                break;
        }
    }
}
