using System.Numerics.Tensors;
using FastNN.Formats;

namespace FastNN;

/// <summary>What a whole model can do: be saved and loaded.</summary>
public static class ModelExtensions
{
    /// <summary>
    /// Saves the parameters as safetensors, named, shaped and ordered as PyTorch has them ([out, in] and OIHW), so that its
    /// load_state_dict takes them. The file appears whole or not at all.
    /// </summary>
    /// <param name="model">A built model.</param>
    /// <param name="path">The file, replaced if it is there.</param>
    /// <param name="allowNonFinite">Whether NaN and infinite values are saved; default false, which refuses them.</param>
    /// <exception cref="InvalidOperationException">The model is not built, or a parameter is not finite.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Save(this Layer model, string path, bool allowNonFinite = false)
    {
        RequireBuilt(model, nameof(Save));
        var writer = new SafetensorsWriter();
        writer.SetMetadata("format", "pt");
        foreach ((string name, Parameter parameter) in model.NamedParameters)
        {
            writer.Add(name, parameter.Layout.FileShape(parameter.Shape).ToArray(), ParameterFile.Read(name, parameter, allowNonFinite));
        }

        writer.Save(path);
    }

    /// <summary>
    /// Loads parameters that <see cref="Save"/>, or PyTorch under the same names, wrote. All are checked before the first is
    /// replaced.
    /// </summary>
    /// <param name="model">A built model.</param>
    /// <param name="path">The file.</param>
    /// <param name="allowNonFinite">Whether NaN and infinite values are loaded; default false, which refuses them.</param>
    /// <exception cref="InvalidOperationException">The model is not built.</exception>
    /// <exception cref="FileFormatException">The file is malformed, or lacks a parameter, has one too many or in another
    /// shape, or one that is not finite.</exception>
    public static void Load(this Layer model, string path, bool allowNonFinite = false)
    {
        RequireBuilt(model, nameof(Load));
        using SafetensorsReader reader = SafetensorsReader.Open(path);
        IReadOnlyList<NamedParameter> parameters = model.NamedParameters;
        ParameterFile.RequireNames(reader, path, parameters.Select(named => named.Name).ToHashSet());
        float[][] values = [.. parameters.Select(named => ParameterFile.Load(reader, named.Name, named.Parameter, allowNonFinite))];
        for (int i = 0; i < values.Length; i++)
        {
            parameters[i].Parameter.Adopt(values[i]);
        }
    }

    private static void RequireBuilt(Layer model, string operation)
    {
        if (!model.IsBuilt)
        {
            throw new InvalidOperationException($"{operation}: the model is not built; call model.Build(shape of one example) first.");
        }
    }
}

/// <summary>Parameters, and tensors shaped like them, in a file's order. Values that are not finite are refused, both ways.</summary>
internal static class ParameterFile
{
    public static float[] Read(string name, Parameter parameter, bool allowNonFinite = false)
    {
        var engine = new float[checked((int)parameter.Count)];
        parameter.Read(engine);
        return ToFile(name, parameter, engine, allowNonFinite);
    }

    public static float[] ToFile(string name, Parameter parameter, float[] engine, bool allowNonFinite = false)
    {
        if (!allowNonFinite && FirstNonFinite(engine) is >= 0 and var at)
        {
            throw new InvalidOperationException(
                $"Parameter {name}: expected finite numbers to save, element {at} of {engine.Length} (of the values or their optimizer state) is " +
                $"{engine[at]}; nothing was saved. Go back to an earlier checkpoint, or save the weights with allowNonFinite: true.");
        }

        if (parameter.Layout == ParameterLayout.AsIs)
        {
            return engine;
        }

        var file = new float[engine.Length];
        parameter.Layout.ToFile(parameter.Shape, engine, file);
        return file;
    }

    /// <summary>A tensor of a parameter's shape, in the engine's order.</summary>
    public static float[] Load(SafetensorsReader reader, string name, Parameter parameter, bool allowNonFinite = false)
    {
        SafetensorsTensor tensor = reader.Find(name);
        Shape expected = parameter.Layout.FileShape(parameter.Shape);
        if (!tensor.Shape.SequenceEqual(expected.ToArray()))
        {
            throw new FileFormatException(reader.FilePath, tensor.Offset, $"tensor {name} of shape {expected}", $"shape {Quote.Shape(tensor.Shape)}");
        }

        float[] file = reader.ReadSingles(name);
        if (!allowNonFinite && FirstNonFinite(file) is >= 0 and var at)
        {
            throw new FileFormatException(reader.FilePath, tensor.Offset + (at * (tensor.ByteLength / tensor.Count)), $"finite numbers in tensor {name}", $"{file[at]}");
        }

        if (parameter.Layout == ParameterLayout.AsIs)
        {
            return file;
        }

        var engine = new float[file.Length];
        parameter.Layout.FromFile(parameter.Shape, file, engine);
        return engine;
    }

    public static void RequireNames(SafetensorsReader reader, string path, HashSet<string> names)
    {
        foreach (SafetensorsTensor tensor in reader.Tensors)
        {
            if (!names.Contains(tensor.Name))
            {
                throw new FileFormatException(path, tensor.Offset, "only this model's parameters", $"tensor {Quote.Text(tensor.Name)}, which the model does not have");
            }
        }
    }

    private static int FirstNonFinite(ReadOnlySpan<float> values)
    {
        // The sum of a block's absolute values is finite where all of them are small, which one vectorized pass shows.
        for (int i = 0; i < values.Length;)
        {
            ReadOnlySpan<float> block = values.Slice(i, Math.Min(1024, values.Length - i));
            if (!float.IsFinite(TensorPrimitives.SumOfMagnitudes(block)))
            {
                for (int j = 0; j < block.Length; j++)
                {
                    if (!float.IsFinite(block[j]))
                    {
                        return i + j;
                    }
                }
            }

            i += block.Length;
        }

        return -1;
    }
}
