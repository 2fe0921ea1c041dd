using FastNN.Onnx;

namespace FastNN.Peers;

/// <summary>An ONNX file on both sides, from inputs in memory to outputs in memory that are there already.</summary>
/// <param name="Title">The case's name, without the batch.</param>
/// <param name="File">The file in the folder of models.</param>
/// <param name="Batch">Examples per run.</param>
/// <param name="Inputs">Every input of a batch.</param>
internal sealed record OnnxCase(string Title, string File, int Batch, Func<int, OnnxInput[]> Inputs)
    : Case($"{Title}-b{Batch}", "infer")
{
    /// <summary>The folder that bench/make-onnx-models fills.</summary>
    public static string Folder =>
        Environment.GetEnvironmentVariable("FASTNN_ONNX_MODELS") is { Length: > 0 } named
            ? named
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache", "fastnn", "onnx-models");

    /// <summary>The file's path.</summary>
    public string Model => Path.Combine(Folder, File);

    public static new IReadOnlyList<OnnxCase> All { get; } =
    [
        .. Images("infer-mlp", "mnist-mlp.onnx", [1, 28, 28], 1, 8, 32, 128),
        .. Images("infer-cnn", "mnist-cnn.onnx", [1, 28, 28], 1, 8, 32, 128),
        .. Images("infer-cnn-small", "mnist-cnn-small.onnx", [1, 28, 28], 1, 8, 32, 128),
        .. Images("infer-lenet", "lenet-rgb.onnx", [3, 32, 32], 1, 8, 32, 128),
        .. Images("infer-resnet18-32", "resnet18-32.onnx", [3, 32, 32], 1, 8, 32),
        .. Images("infer-resnet18-224", "resnet18.onnx", [3, 224, 224], 1, 8),
        .. Images("infer-mobilenetv2", "mobilenetv2.onnx", [3, 224, 224], 1, 8),
        .. Images("infer-squeezenet", "squeezenet.onnx", [3, 224, 224], 1, 8),
        .. Of("infer-lstm", "lstm.onnx", batch => [OnnxInput.Floats(batch, 64, 128)], 1, 8, 32),
        .. Of("infer-gpt", "gpt.onnx", batch => [OnnxInput.Integers(65, batch, 128)], 1, 8),
        .. Of(
            "infer-bert-tiny", "bert-tiny.onnx",
            batch => [OnnxInput.Integers(1000, batch, 128), OnnxInput.Ones(batch, 128), OnnxInput.Integers(2, batch, 128)], 1, 8),
        .. Of(
            "infer-silero", "silero-v5.onnx",
            batch => [OnnxInput.Floats(batch, 512), OnnxInput.Floats(2, batch, 128), OnnxInput.Scalar(16000)], 1),
    ];

    private static IEnumerable<OnnxCase> Images(string title, string file, int[] image, params int[] batches) =>
        Of(title, file, batch => [OnnxInput.Floats([batch, .. image])], batches);

    private static IEnumerable<OnnxCase> Of(string title, string file, Func<int, OnnxInput[]> inputs, params int[] batches) =>
        batches.Select(batch => new OnnxCase(title, file, batch, inputs));
}

/// <summary>An input: floats, or integers of 64 bits.</summary>
internal sealed record OnnxInput(int[] Shape, float[]? Numbers, long[]? Whole)
{
    public OnnxTensor Tensor => Numbers is not null ? OnnxTensor.Create(Numbers, Shape) : OnnxTensor.Create(Whole!, Shape);

    public static OnnxInput Floats(params int[] shape)
    {
        var random = new Random(1);
        return new(shape, [.. Enumerable.Range(0, Count(shape)).Select(_ => random.NextSingle() - 0.5f)], null);
    }

    public static OnnxInput Integers(int below, params int[] shape)
    {
        var random = new Random(1);
        return new(shape, null, [.. Enumerable.Range(0, Count(shape)).Select(_ => (long)random.Next(below))]);
    }

    public static OnnxInput Ones(params int[] shape) => new(shape, null, [.. Enumerable.Repeat(1L, Count(shape))]);

    public static OnnxInput Scalar(long value) => new([], null, [value]);

    private static int Count(int[] shape) => shape.Aggregate(1, (product, extent) => product * extent);
}
