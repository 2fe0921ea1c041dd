using FastNN.Formats;

namespace FastNN;

/// <summary>What a whole model can do: be saved, loaded and compiled.</summary>
public static class ModelExtensions
{
    /// <summary>
    /// Saves the parameters as safetensors, named, shaped and ordered as PyTorch has them ([out, in] and OIHW), so that its
    /// load_state_dict takes them. The file appears whole or not at all.
    /// </summary>
    /// <param name="model">A built model.</param>
    /// <param name="path">The file, replaced if it is there.</param>
    /// <exception cref="InvalidOperationException">The model is not built.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Save(this Layer model, string path)
    {
        RequireBuilt(model, nameof(Save));
        var writer = new SafetensorsWriter();
        writer.SetMetadata("format", "pt");
        foreach (Parameter parameter in model.Parameters)
        {
            writer.Add(parameter.Name, parameter.Layout.FileShape(parameter.Shape).ToArray(), ParameterFile.Read(parameter));
        }

        writer.Save(path);
    }

    /// <summary>
    /// Loads parameters that <see cref="Save"/>, or PyTorch under the same names, wrote. All are checked before the first is
    /// replaced.
    /// </summary>
    /// <param name="model">A built model.</param>
    /// <param name="path">The file.</param>
    /// <exception cref="InvalidOperationException">The model is not built.</exception>
    /// <exception cref="FileFormatException">The file is malformed, or lacks a parameter, has one too many or in another
    /// shape.</exception>
    public static void Load(this Layer model, string path)
    {
        RequireBuilt(model, nameof(Load));
        using SafetensorsReader reader = SafetensorsReader.Open(path);
        IReadOnlyList<Parameter> parameters = model.Parameters;
        ParameterFile.RequireNames(reader, path, parameters.Select(parameter => parameter.Name).ToHashSet());
        float[][] values = [.. parameters.Select(parameter => ParameterFile.Load(reader, parameter.Name, parameter))];
        for (int i = 0; i < values.Length; i++)
        {
            parameters[i].Write(values[i]);
        }
    }

    /// <summary>Compiles for inference, with a copy of the present parameters.</summary>
    /// <param name="model">A built model.</param>
    /// <param name="device">Where to run; it must outlive the predictor.</param>
    /// <param name="maxBatch">Larger batches are computed in pieces of this many examples; default 256.</param>
    /// <returns>An immutable predictor, safe for concurrent callers.</returns>
    /// <exception cref="InvalidOperationException">The model is not built.</exception>
    public static Predictor Compile(this Layer model, Device device, int maxBatch = 256) => new(model, device.Implementation, maxBatch);

    private static void RequireBuilt(Layer model, string operation)
    {
        if (model.ExampleShape is null)
        {
            throw new InvalidOperationException($"{operation}: the model is not built; call model.Build(shape of one example) first.");
        }
    }
}

/// <summary>Parameters, and tensors shaped like them, in a file's order.</summary>
internal static class ParameterFile
{
    public static float[] Read(Parameter parameter)
    {
        var engine = new float[checked((int)parameter.Count)];
        parameter.Read(engine);
        return ToFile(parameter, engine);
    }

    public static float[] ToFile(Parameter parameter, float[] engine)
    {
        var file = new float[engine.Length];
        parameter.Layout.ToFile(parameter.Shape, engine, file);
        return file;
    }

    /// <summary>A tensor of a parameter's shape, in the engine's order.</summary>
    public static float[] Load(SafetensorsReader reader, string name, Parameter parameter)
    {
        SafetensorsTensor tensor = reader.Find(name);
        Shape expected = parameter.Layout.FileShape(parameter.Shape);
        if (!tensor.Shape.SequenceEqual(expected.ToArray()))
        {
            throw new FileFormatException(reader.FilePath, tensor.Offset, $"tensor {name} of shape {expected}", $"shape [{string.Join(", ", tensor.Shape.ToArray())}]");
        }

        var engine = new float[checked((int)parameter.Count)];
        parameter.Layout.FromFile(parameter.Shape, reader.ReadSingles(name), engine);
        return engine;
    }

    public static void RequireNames(SafetensorsReader reader, string path, HashSet<string> names)
    {
        foreach (SafetensorsTensor tensor in reader.Tensors)
        {
            if (!names.Contains(tensor.Name))
            {
                throw new FileFormatException(path, tensor.Offset, "only this model's parameters", $"tensor {tensor.Name}, which the model does not have");
            }
        }
    }
}
