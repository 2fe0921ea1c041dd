using Microsoft.OpenApi;

namespace FastNN.Hosting.Rest;

/// <summary>The OpenAPI document of what is mapped.</summary>
internal static class RestDocument
{
    private const string Json = "application/json";
    private const string Binary = "application/octet-stream";

    /// <summary>Describes the addresses that the options map, below their prefix.</summary>
    public static OpenApiDocument Create(FastNNEndpointOptions options)
    {
        var document = new OpenApiDocument
        {
            Info = new OpenApiInfo
            {
                Title = "FastNN",
                Version = "2",
                Description =
                    "The Open Inference Protocol, version 2, with extensions for binary tensor data, classification, statistics, " +
                    "configuration and the repository of models.",
            },
            Components = new OpenApiComponents { Schemas = Schemas() },
            Paths = [],
        };
        AddPaths(document, options);
        return document;
    }

    private static void AddPaths(OpenApiDocument document, FastNNEndpointOptions options)
    {
        Add("v2", HttpMethod.Get, "Server metadata", "server");
        Add("v2/health/live", HttpMethod.Get, "Whether the server lives", "live");
        Add("v2/health/ready", HttpMethod.Get, "Whether all models are ready; 503 while they are not", "ready");
        foreach (string model in (string[])["v2/models/{name}", "v2/models/{name}/versions/{version}"])
        {
            Add(model, HttpMethod.Get, "Model metadata", "model");
            Add(model + "/ready", HttpMethod.Get, "Whether the model is ready", "ready");
            Add(model + "/config", HttpMethod.Get, "Model configuration", "config");
            Add(model + "/infer", HttpMethod.Post, "Inference", "inference_response", "inference_request");
        }

        if (options.Statistics)
        {
            Add("v2/models/stats", HttpMethod.Get, "Statistics of all models", "statistics");
            Add("v2/models/{name}/stats", HttpMethod.Get, "Statistics of a model", "statistics");
            Add("v2/models/{name}/versions/{version}/stats", HttpMethod.Get, "Statistics of a version", "statistics");
        }

        Add("v2/repository/index", HttpMethod.Post, "All models and their states", "index", "index_request");
        if (options.RepositoryControl)
        {
            foreach (string model in (string[])["v2/repository/models/{name}", "v2/repository/models/{name}/versions/{version}"])
            {
                Add(model + "/load", HttpMethod.Post, "Loads a model, or reloads it", null, "control_request");
                Add(model + "/unload", HttpMethod.Post, "Unloads a model", null, "control_request");
            }
        }

        void Add(string path, HttpMethod method, string summary, string? answer, string? request = null)
        {
            document.Paths["/" + path] = new OpenApiPathItem
            {
                Operations = new Dictionary<HttpMethod, OpenApiOperation>
                {
                    [method] = Operation(document, path, summary, answer, request),
                },
            };
        }
    }

    private static OpenApiOperation Operation(
        OpenApiDocument document, string path, string summary, string? answer, string? request)
    {
        bool infers = path.EndsWith("/infer", StringComparison.Ordinal);
        var parameters = new List<IOpenApiParameter>();
        foreach (string name in (string[])["name", "version"])
        {
            if (path.Contains($"{{{name}}}", StringComparison.Ordinal))
            {
                parameters.Add(new OpenApiParameter
                {
                    Name = name,
                    In = ParameterLocation.Path,
                    Required = true,
                    Schema = Of(JsonSchemaType.String),
                });
            }
        }

        if (infers)
        {
            parameters.Add(new OpenApiParameter
            {
                Name = "Inference-Header-Content-Length",
                In = ParameterLocation.Header,
                Schema = Of(JsonSchemaType.Integer),
                Description =
                    "Length of the JSON where binary tensor data is behind it; 0 where the body is the elements of the only input.",
            });
        }

        var good = new OpenApiResponse { Description = "OK" };
        if (answer is not null)
        {
            good.Content = Content(document, answer, infers);
        }

        return new OpenApiOperation
        {
            Summary = summary,
            Parameters = parameters,
            RequestBody = request is null
                ? null
                : new OpenApiRequestBody { Required = infers, Content = Content(document, request, infers) },
            Responses = new OpenApiResponses
            {
                ["200"] = good,
                ["default"] =
                    new OpenApiResponse { Description = "What is wrong", Content = Content(document, "error", binary: false) },
            },
        };
    }

    private static Dictionary<string, OpenApiMediaType> Content(OpenApiDocument document, string schema, bool binary)
    {
        var content = new Dictionary<string, OpenApiMediaType>
        {
            [Json] = new OpenApiMediaType { Schema = new OpenApiSchemaReference(schema, document) },
        };
        if (binary)
        {
            content[Binary] =
                new OpenApiMediaType { Schema = new OpenApiSchema { Type = JsonSchemaType.String, Format = "binary" } };
        }

        return content;
    }

    private static Dictionary<string, IOpenApiSchema> Schemas()
    {
        OpenApiSchema text = Of(JsonSchemaType.String), flag = Of(JsonSchemaType.Boolean), number = Of(JsonSchemaType.Integer);
        OpenApiSchema any = Of(JsonSchemaType.Object), shape = ListOf(number), data = Of(JsonSchemaType.Array);
        OpenApiSchema tensor = Object(("name", text), ("datatype", text), ("shape", shape));
        OpenApiSchema filled = Object(("name", text), ("datatype", text), ("shape", shape), ("parameters", any), ("data", data));
        OpenApiSchema configured = Object(("name", text), ("data_type", text), ("dims", shape));
        OpenApiSchema status = Object(("name", text), ("version", text), ("state", text), ("reason", text));
        OpenApiSchema statistics =
            Object(("name", text), ("version", text), ("last_inference", number), ("inference_count", number),
            ("execution_count", number), ("inference_stats", any), ("batch_stats", ListOf(any)));
        return new Dictionary<string, IOpenApiSchema>
        {
            ["error"] = Object(("error", text)),
            ["server"] = Object(("name", text), ("version", text), ("extensions", ListOf(text))),
            ["live"] = Object(("live", flag)),
            ["ready"] = Object(("name", text), ("ready", flag)),
            ["model"] = Object(
                ("name", text), ("versions", ListOf(text)), ("platform", text), ("inputs", ListOf(tensor)),
                ("outputs", ListOf(tensor))),
            ["config"] =
                Object(("name", text), ("platform", text), ("backend", text), ("version_policy", any), ("max_batch_size", number),
                ("input", ListOf(configured)), ("output", ListOf(configured))),
            ["inference_request"] = Object(("id", text), ("parameters", any), ("inputs", ListOf(filled)),
                ("outputs", ListOf(Object(("name", text), ("parameters", any))))),
            ["inference_response"] =
                Object(("model_name", text), ("model_version", text), ("id", text), ("outputs", ListOf(filled))),
            ["statistics"] = Object(("model_stats", ListOf(statistics))),
            ["index"] = ListOf(status),
            ["index_request"] = Object(("ready", flag)),
            ["control_request"] = Object(("parameters", any)),
        };
    }

    private static OpenApiSchema Of(JsonSchemaType type) => new() { Type = type };

    private static OpenApiSchema ListOf(OpenApiSchema items) => new() { Type = JsonSchemaType.Array, Items = items };

    private static OpenApiSchema Object(params ReadOnlySpan<(string Name, OpenApiSchema Schema)> properties)
    {
        var schema = new OpenApiSchema { Type = JsonSchemaType.Object, Properties = new Dictionary<string, IOpenApiSchema>() };
        foreach ((string name, OpenApiSchema property) in properties)
        {
            schema.Properties[name] = property;
        }

        return schema;
    }
}
