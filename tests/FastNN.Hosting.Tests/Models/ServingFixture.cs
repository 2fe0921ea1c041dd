using System.Runtime.InteropServices;
using FastNN.Onnx;
using FastNN.Tensors;
using FastNN.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace FastNN.Hosting.Tests.Models;

/// <summary>
/// Services with models in a folder of the test's own. Every test gives back all native memory and all buffers.
/// </summary>
public abstract class ServingFixture : FolderFixture
{
    private readonly List<IHost> _hosts = [];
    private readonly HashSet<IHost> _started = [];
    private long _blocks;

    /// <summary>What the services of the test logged.</summary>
    private protected LogLines Log { get; private set; } = new();

    [SetUp]
    public void CountBlocks() => (_blocks, Log) = (HostMemory.LiveBlocks, new LogLines());

    [TearDown]
    public async Task StopHosts()
    {
        foreach (IHost host in _hosts)
        {
            if (_started.Contains(host))
            {
                ModelCatalog catalog = host.Services.GetRequiredService<ModelCatalog>();
                await host.StopAsync();
                Assert.That(catalog.Buffers.Rented, Is.Zero, "calls kept buffers");
            }

            host.Dispose();
        }

        _hosts.Clear();
        _started.Clear();
        Assert.That(HostMemory.LiveBlocks, Is.EqualTo(_blocks), "models kept native blocks alive");
    }

    /// <summary>Makes a service that is not started yet; it looks at files only when it is told.</summary>
    private protected IHost Create(Action<FastNNOptions>? configure = null, Action<FastNNBuilder>? add = null)
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(
            new HostApplicationBuilderSettings { ContentRootPath = Folder });
        builder.Logging.AddProvider(Log).SetMinimumLevel(LogLevel.Debug);
        FastNNBuilder models = builder.Services.AddFastNN(options =>
        {
            options.Threads = 1;
            options.WatchFiles = false;
            configure?.Invoke(options);
        });
        add?.Invoke(models);
        IHost host = builder.Build();
        _hosts.Add(host);
        return host;
    }

    /// <summary>Makes a service and starts it.</summary>
    private protected async Task<IHost> StartAsync(Action<FastNNOptions>? configure = null, Action<FastNNBuilder>? add = null)
    {
        IHost host = Create(configure, add);
        await StartAsync(host);
        return host;
    }

    /// <summary>Starts a service.</summary>
    private protected async Task StartAsync(IHost host)
    {
        await host.StartAsync();
        _started.Add(host);
    }

    /// <summary>A service of one model.</summary>
    private protected Task<IHost> StartAsync(string name, string file, Action<ModelOptions>? configure = null) =>
        StartAsync(add: models => models.AddModel(name, options =>
        {
            options.FromFile(file);
            configure?.Invoke(options);
        }));

    /// <summary>6 inputs, 3 outputs.</summary>
    private protected static Sequential Mlp(ulong seed)
    {
        var model = new Sequential(new Dense(5, Activation.ReLU), new Dense(3));
        model.Build(new Shape(6), seed);
        return model;
    }

    /// <summary>Saves <see cref="Mlp"/> as the library's file.</summary>
    private protected string SaveMlp(string name, ulong seed, IReadOnlyList<string>? classes = null)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(At(name))!);
        Mlp(seed).Save(At(name), new SaveOptions { ClassNames = classes });
        return At(name);
    }

    /// <summary>Saves <see cref="Mlp"/> as an ONNX file.</summary>
    private protected string ExportMlp(string name, ulong seed)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(At(name))!);
        Mlp(seed).ExportOnnx(At(name));
        return At(name);
    }

    /// <summary>What <see cref="Mlp"/> answers, computed without a service.</summary>
    private protected static float[] Expected(ulong seed, float[] x)
    {
        using var device = Device.Cpu(1);
        using Predictor predictor = Mlp(seed).CreatePredictor(device);
        var y = new float[x.Length / 6 * 3];
        predictor.Predict(x, y);
        return y;
    }

    /// <summary>Inputs for so many examples.</summary>
    private protected static float[] Inputs(int rows, int seed = 1)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, rows * 6).Select(_ => (random.NextSingle() * 2) - 1)];
    }

    /// <summary>Calls a model of one input and one output.</summary>
    private protected static async Task<float[]> CallAsync(IModel model, float[] x)
    {
        using ModelCall call = model.Begin();
        Set(call, x);
        await call.RunAsync();
        return Floats(call);
    }

    /// <summary>Sets the one input of <see cref="Mlp"/>.</summary>
    private protected static void Set(ModelCall call, float[] x) =>
        MemoryMarshal.AsBytes(x.AsSpan()).CopyTo(call.SetInput(0, [x.Length / 6, 6]));

    /// <summary>The first output.</summary>
    private protected static float[] Floats(ModelCall call) => MemoryMarshal.Cast<byte, float>(call.Output(0)).ToArray();

    /// <summary>The model of a service.</summary>
    private protected static IModel Model(IHost host, string name) => host.Services.GetRequiredKeyedService<IModel>(name);

    /// <summary>The catalog of a service.</summary>
    private protected static ModelCatalog Catalog(IHost host) => host.Services.GetRequiredService<ModelCatalog>();

    /// <summary>What calling failed with.</summary>
    private protected static InferenceException Refusal(Action call, InferenceFailure failure)
    {
        InferenceException exception = Assert.Throws<InferenceException>(() => call())!;
        Assert.That(exception.Failure, Is.EqualTo(failure), exception.Message);
        return exception;
    }

    /// <summary>Lines of the log, "Level: text".</summary>
    internal sealed class LogLines : ILoggerProvider, ILogger
    {
        private readonly List<string> _lines = [];

        public IReadOnlyList<string> Lines
        {
            get
            {
                lock (_lines)
                {
                    return [.. _lines];
                }
            }
        }

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            lock (_lines)
            {
                _lines.Add($"{logLevel}: {formatter(state, exception)}");
            }
        }

        public void Dispose()
        {
        }
    }
}
