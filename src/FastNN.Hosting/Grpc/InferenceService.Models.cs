using System.Globalization;
using FastNN.Hosting.Protocol;
using FastNN.Hosting.Wire;
using Google.Protobuf.Collections;
using Grpc.Core;
using Microsoft.Extensions.Logging;

namespace FastNN.Hosting;

/// <content>What models there are, what they take and give, and how they are doing.</content>
internal sealed partial class InferenceService
{
    private static readonly string[] s_extensions =
    [
        "classification", "model_configuration", "model_repository", "parameters", "schedule_policy", "statistics",
    ];

    /// <summary>Answers as long as the process does.</summary>
    public static Task<ServerLiveResponse> ServerLive(ServerLiveRequest request, ServerCallContext context) =>
        Task.FromResult(new ServerLiveResponse { Live = true });

    /// <summary>Whether every model that is to be loaded is.</summary>
    public Task<ServerReadyResponse> ServerReady(ServerReadyRequest request, ServerCallContext context) =>
        Task.FromResult(new ServerReadyResponse { Ready = catalog.IsReady });

    /// <summary>Whether one model answers; one that does not exist is an error.</summary>
    public Task<ModelReadyResponse> ModelReady(ModelReadyRequest request, ServerCallContext context) => Answer(context, () =>
    {
        if (catalog.TryGet(request.Name, NullIfEmpty(request.Version), out _))
        {
            return new ModelReadyResponse { Ready = true };
        }

        try
        {
            _ = catalog.Find(request.Name, NullIfEmpty(request.Version));
            return new ModelReadyResponse { Ready = true };
        }
        catch (InferenceException failure) when (failure.Failure != InferenceFailure.NotFound)
        {
            return new ModelReadyResponse { Ready = false };
        }
    });

    /// <summary>Name, version and extensions of the server.</summary>
    public static Task<ServerMetadataResponse> ServerMetadata(ServerMetadataRequest request, ServerCallContext context) =>
        Task.FromResult(
            new ServerMetadataResponse { Name = "fastnn", Version = ServingTelemetry.Version, Extensions = { s_extensions } });

    /// <summary>Inputs and outputs of a model.</summary>
    public Task<ModelMetadataResponse> ModelMetadata(
        ModelMetadataRequest request, ServerCallContext context) => Answer(context, () =>
    {
        IModel model = catalog.Find(request.Name, NullIfEmpty(request.Version));
        return new ModelMetadataResponse
        {
            Name = model.Name,
            Platform = model.Platform,
            Versions = { request.Version.Length == 0 ? ReadyVersions(model.Name) : [model.Version] },
            Inputs = { model.Inputs.Select(Describe) },
            Outputs = { model.Outputs.Select(Describe) },
        };
    });

    /// <summary>How a model is served.</summary>
    public Task<ModelConfigResponse> ModelConfig(ModelConfigRequest request, ServerCallContext context) => Answer(context, () =>
    {
        IModel model = catalog.Find(request.Name, NullIfEmpty(request.Version));
        var versions = new ModelVersionPolicy.Types.Specific
        {
            Versions = { ReadyVersions(model.Name).Select(version => long.Parse(version, CultureInfo.InvariantCulture)) },
        };
        return new ModelConfigResponse
        {
            Config = new ModelConfig
            {
                Name = model.Name,
                Platform = model.Platform,
                Backend = "fastnn",
                VersionPolicy = new ModelVersionPolicy { Specific = versions },
                MaxBatchSize = 0,
                Input =
                {
                    model.Inputs.Select(tensor => new Wire.ModelInput
                    {
                        Name = tensor.Name, DataType = ConfigType(tensor.DataType), Dims = { Extents(tensor) },
                    }),
                },
                Output =
                {
                    model.Outputs.Select(tensor => new Wire.ModelOutput
                    {
                        Name = tensor.Name, DataType = ConfigType(tensor.DataType), Dims = { Extents(tensor) },
                    }),
                },
                ModelTransactionPolicy = new ModelTransactionPolicy(),
            },
        };
    });

    /// <summary>What calls came to.</summary>
    public Task<ModelStatisticsResponse> ModelStatistics(
        ModelStatisticsRequest request, ServerCallContext context) => Answer(context, () =>
        new ModelStatisticsResponse
        {
            ModelStats = { catalog.Statistics(NullIfEmpty(request.Name), NullIfEmpty(request.Version)).Select(Describe) },
        });

    /// <summary>All models, ready or not.</summary>
    public Task<RepositoryIndexResponse> RepositoryIndex(
        RepositoryIndexRequest request, ServerCallContext context) => Answer(context, () =>
    {
        RequireOneRepository(request.RepositoryName);
        return new RepositoryIndexResponse
        {
            Models =
            {
                catalog.List().Where(model => !request.Ready || model.State == ModelState.Ready).Select(model =>
                    new RepositoryIndexResponse.Types.ModelIndex
                    {
                        Name = model.Name, Version = model.Version, State = ModelStates.Name(model.State), Reason = model.Reason,
                    }),
            },
        };
    });

    /// <summary>Loads a model, or reloads it.</summary>
    public Task<RepositoryModelLoadResponse> RepositoryModelLoad(RepositoryModelLoadRequest request, ServerCallContext context) =>
        AnswerAsync(context, async () =>
        {
            string? version = RequireControl(request.RepositoryName, request.Parameters);
            await catalog.LoadAsync(request.ModelName, version, context.CancellationToken).ConfigureAwait(false);
            return new RepositoryModelLoadResponse();
        });

    /// <summary>Unloads a model when its last calls are done.</summary>
    public Task<RepositoryModelUnloadResponse> RepositoryModelUnload(
        RepositoryModelUnloadRequest request, ServerCallContext context) =>
        AnswerAsync(context, async () =>
        {
            string? version = RequireControl(request.RepositoryName, request.Parameters);
            await catalog.UnloadAsync(request.ModelName, version, context.CancellationToken).ConfigureAwait(false);
            return new RepositoryModelUnloadResponse();
        });

    private static string? NullIfEmpty(string text) => text.Length == 0 ? null : text;

    private static long[] Extents(ModelTensor tensor) => [.. tensor.Dimensions.Select(extent => (long)extent)];

    /// <summary>The types have one order in both, but for BYTES, which configurations call STRING and put before BF16.</summary>
    private static DataType ConfigType(TensorDataType type) => type switch
    {
        TensorDataType.Bytes => DataType.TypeString,
        TensorDataType.BFloat16 => DataType.TypeBf16,
        _ => DataType.TypeBool + (int)type,
    };

    private static ModelMetadataResponse.Types.TensorMetadata Describe(ModelTensor tensor) => new()
    {
        Name = tensor.Name,
        Datatype = TensorDataTypes.Name(tensor.DataType),
        Shape = { Extents(tensor) },
    };

    private static Wire.ModelStatistics Describe(ModelStatistics model) => new()
    {
        Name = model.Name,
        Version = model.Version,
        LastInference = (ulong)Math.Max(0, model.LastInference.ToUnixTimeMilliseconds()),
        InferenceCount = (ulong)model.Inferences,
        ExecutionCount = (ulong)model.Executions,
        InferenceStats = new InferStatistics
        {
            Success = Describe(model.Success),
            Fail = Describe(model.Fail),
            Queue = Describe(model.Queue),
            ComputeInput = Describe(model.ComputeInput),
            ComputeInfer = Describe(model.ComputeInfer),
            ComputeOutput = Describe(model.ComputeOutput),
            CacheHit = new StatisticDuration(),
            CacheMiss = new StatisticDuration(),
        },
        BatchStats =
        {
            model.Batches.Select(batch => new InferBatchStatistics
            {
                BatchSize = (ulong)batch.BatchSize,
                ComputeInput = Describe(batch.ComputeInput),
                ComputeInfer = Describe(batch.ComputeInfer),
                ComputeOutput = Describe(batch.ComputeOutput),
            }),
        },
    };

    private static StatisticDuration Describe(DurationStatistic duration) =>
        new() { Count = (ulong)duration.Count, Ns = (ulong)duration.Nanoseconds };

    private static void RequireOneRepository(string name)
    {
        if (name.Length != 0)
        {
            throw new InferenceException(
                InferenceFailure.NotFound, $"there is no repository {Show.Name(name)}: the server has one, without a name");
        }
    }

    /// <summary>The version that a repository request is for; null for all.</summary>
    private string? RequireControl(string repository, MapField<string, ModelRepositoryParameter> parameters)
    {
        if (!options.RepositoryControl)
        {
            throw new RpcException(new Status(
                StatusCode.PermissionDenied,
                "loading and unloading of models is off: it is to be enabled where the server is started"));
        }

        RequireOneRepository(repository);
        foreach ((string name, ModelRepositoryParameter value) in parameters)
        {
            // Triton's clients send unload_dependents by themselves; here no model depends on another.
            if (name is not ("version" or "unload_dependents"))
            {
                throw new InferenceException(InferenceFailure.InvalidInput,
                    $"parameter {Show.Name(name)} is not supported: models come from the server's own folder; expected 'version' or none");
            }

            if (name == "version")
            {
                return value.ParameterChoiceCase switch
                {
                    ModelRepositoryParameter.ParameterChoiceOneofCase.StringParam => value.StringParam,
                    ModelRepositoryParameter.ParameterChoiceOneofCase.Int64Param =>
                        value.Int64Param.ToString(CultureInfo.InvariantCulture),
                    _ => throw new InferenceException(
                        InferenceFailure.InvalidInput, "parameter 'version': expected a number in string_param or int64_param"),
                };
            }
        }

        return null;
    }

    private IEnumerable<string> ReadyVersions(string name) =>
        catalog.List().Where(model => model.Name == name && model.State == ModelState.Ready).Select(model => model.Version);

    private Task<T> Answer<T>(ServerCallContext context, Func<T> answer)
    {
        try
        {
            return Task.FromResult(answer());
        }
        catch (Exception failure) when (failure is not RpcException)
        {
            throw Explain(failure, context);
        }
    }

    private async Task<T> AnswerAsync<T>(ServerCallContext context, Func<Task<T>> answer)
    {
        try
        {
            return await answer().ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (context.Deadline <= time.GetUtcNow().UtcDateTime)
        {
            throw new RpcException(new Status(StatusCode.DeadlineExceeded, "the deadline of the call passed before it was done"));
        }
        catch (Exception failure) when (failure is not RpcException)
        {
            throw Explain(failure, context);
        }
    }

    private RpcException Explain(Exception failure, ServerCallContext context)
    {
        AddRetryAfter(failure, context.ResponseTrailers);
        Status status = GrpcFailure.StatusOf(failure);
        if (status.StatusCode == StatusCode.Internal)
        {
            LogCall(logger, failure);
        }

        return new RpcException(status);
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "A call over gRPC failed.")]
    private static partial void LogCall(ILogger logger, Exception failure);
}
