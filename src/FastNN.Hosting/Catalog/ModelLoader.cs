using FastNN.Formats;
using FastNN.Onnx;

namespace FastNN.Hosting;

/// <summary>Makes engines of files.</summary>
/// <param name="device">Where they run.</param>
/// <param name="buffers">Where calls' rows are put together.</param>
internal sealed class ModelLoader(Func<Device> device, BufferPool buffers)
{
    private const string OnnxExtension = ".onnx";

    /// <summary>Extensions of files that can be loaded.</summary>
    public static IReadOnlyList<string> Extensions { get; } = [OnnxExtension, ".safetensors"];

    /// <summary>
    /// Reads a file and makes what computes it. The file may be replaced or overwritten from then on; of an ONNX file with
    /// external data those files stay mapped and must be left alone.
    /// </summary>
    /// <param name="name">What messages call it.</param>
    /// <param name="path">The file, whose extension says what it is.</param>
    /// <param name="factory">Makes the network whose weights the file has; null where the file says what it is.</param>
    /// <param name="settings">How it is served.</param>
    public IModelEngine Load(string name, string path, Func<Layer>? factory, ServingSettings settings)
    {
        // With batching any number of rows up to the limit occurs, and each is a plan of its own.
        int maxPlans = Math.Clamp(settings.Batching.MaxBatch + 16, 16, 128);
        if (Path.GetExtension(path).Equals(OnnxExtension, StringComparison.OrdinalIgnoreCase))
        {
            OnnxModel file = OnnxModel.Load(ReadAll(path), name, path);
            try
            {
                return new OnnxEngine(file, device(), maxPlans);
            }
            catch
            {
                file.Dispose();
                throw;
            }
        }

        // Short batches may come beside the others; a session takes memory only for as many as do.
        int concurrency = settings.Batching.MaxConcurrency + LoadedModel.MostShortBatches;
        var options = new SessionOptions { MaxPlans = maxPlans, MaxConcurrency = concurrency };
        return new SessionEngine(ReadModel(path, factory), device(), options, buffers);
    }

    /// <summary>
    /// Reads a network of the library: the one that the file describes, or the factory's with the file's weights.
    /// </summary>
    public static Layer ReadModel(string path, Func<Layer>? factory)
    {
        OnnxModel.RegisterLayers();
        bool isHuge = new FileInfo(path) is { Exists: true } file && file.Length > Array.MaxLength;
        using FileBytes? bytes = isHuge ? null : ReadAll(path);
        using Stream content = bytes?.AsStream() ?? File.OpenRead(path);
        if (factory is null)
        {
            return Model.Load(content);
        }

        Layer model = factory() ?? throw new InvalidOperationException("expected a model from the factory, got null");
        model.LoadWeights(content);
        return model;
    }

    /// <summary>
    /// The whole file. It is not mapped, because a file that is cut short while it is mapped ends the process, and copying a
    /// new model over the old one does just that.
    /// </summary>
    private static FileBytes ReadAll(string path)
    {
        string before = FileStamp.Of(path);
        FileBytes bytes = FileBytes.Read(path);
        if (FileStamp.Of(path) == before)
        {
            return bytes;
        }

        ((IDisposable)bytes).Dispose();
        throw new IOException("the model file changed while it was read; load it again when it is written");
    }
}
