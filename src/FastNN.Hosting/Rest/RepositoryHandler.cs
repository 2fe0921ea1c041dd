using System.Text.Json;
using FastNN.Hosting.Protocol;
using Microsoft.AspNetCore.Http;

namespace FastNN.Hosting.Rest;

/// <summary>Which models there are, and loading and unloading them, by Triton's extension for model repositories.</summary>
internal sealed class RepositoryHandler(IModelCatalog catalog, FastNNEndpointOptions options)
{
    /// <summary>What a request of this kind can have; one with a model's file in it is refused anyway.</summary>
    private const int MaxRequestBytes = 64 << 10;

    /// <summary>POST v2/repository/index.</summary>
    public async Task IndexAsync(HttpContext http)
    {
        bool readyOnly = (await ReadAsync(http)).Ready;
        IReadOnlyList<ModelStatus> all = catalog.List();
        await JsonAnswer.WriteAsync(http, json =>
        {
            json.WriteStartArray();
            foreach (ModelStatus status in all)
            {
                if (!readyOnly || status.State == ModelState.Ready)
                {
                    json.WriteStartObject();
                    json.WriteString("name"u8, status.Name);
                    json.WriteString("version"u8, status.Version);
                    json.WriteString("state"u8, ModelStates.Name(status.State));
                    json.WriteString("reason"u8, status.Reason);
                    json.WriteEndObject();
                }
            }

            json.WriteEndArray();
        });
    }

    /// <summary>POST v2/repository/models/NAME[/versions/VERSION]/load.</summary>
    public async Task LoadAsync(HttpContext http)
    {
        RequireControl();
        ModelRoute route = new(http);
        Request request = await ReadAsync(http);
        await catalog.LoadAsync(route.Name, route.Version ?? request.Version, http.RequestAborted);
    }

    /// <summary>POST v2/repository/models/NAME[/versions/VERSION]/unload.</summary>
    public async Task UnloadAsync(HttpContext http)
    {
        RequireControl();
        ModelRoute route = new(http);
        Request request = await ReadAsync(http);
        await catalog.UnloadAsync(route.Name, route.Version ?? request.Version, http.RequestAborted);
    }

    private static async Task<Request> ReadAsync(HttpContext http)
    {
        var body = new RequestBody();
        try
        {
            await body.ReadAsync(http, MaxRequestBytes);
            return Parse(body);
        }
        catch (JsonException wrong)
        {
            throw JsonText.NotJson(wrong);
        }
        finally
        {
            body.Release();
        }
    }

    /// <summary>An empty body is as good as an empty object.</summary>
    private static Request Parse(RequestBody body)
    {
        if (body.Bytes.IsEmpty)
        {
            return default;
        }

        bool ready = false;
        string? version = null;
        byte[] name = new byte[64];
        var reader = new Utf8JsonReader(body.Bytes);
        _ = reader.Read();
        JsonText.Require(ref reader, JsonTokenType.StartObject, "the request");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (JsonText.Is(ref reader, "ready"u8))
            {
                ready = JsonText.ReadBoolean(ref reader, "'ready'");
            }
            else if (JsonText.Is(ref reader, "parameters"u8))
            {
                JsonText.ReadValue(ref reader, JsonTokenType.StartObject, "'parameters'");
                while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
                {
                    int length = JsonText.Copy(ref reader, ref name, "the name of a parameter");
                    ReadOnlySpan<byte> parameter = name.AsSpan(0, length);
                    if (parameter.SequenceEqual("config"u8) || parameter.StartsWith("file:"u8))
                    {
                        throw JsonText.Invalid(
                            $"parameter {Show.Name(parameter)} is not supported: models come from the server's own folder alone");
                    }

                    if (parameter.SequenceEqual("version"u8))
                    {
                        JsonText.ReadValue(ref reader, JsonTokenType.String, "parameter 'version'");
                        length = JsonText.Copy(ref reader, ref name, "parameter 'version'");
                        version = System.Text.Encoding.UTF8.GetString(name, 0, length);
                    }
                    else
                    {
                        reader.Skip();
                    }
                }
            }
            else
            {
                reader.Skip();
            }
        }

        while (reader.Read())
        {
        }

        return new Request(ready, version);
    }

    private void RequireControl()
    {
        if (!options.RepositoryControl)
        {
            throw new RestException(StatusCodes.Status403Forbidden,
                "this server does not load and unload models on request; its operator can allow it");
        }
    }

    private readonly record struct Request(bool Ready, string? Version);
}
