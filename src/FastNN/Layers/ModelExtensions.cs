using System.Numerics.Tensors;
using FastNN.Formats;
using FastNN.Layers;

namespace FastNN;

/// <summary>What a whole model can do: be saved, loaded and looked at.</summary>
public static class ModelExtensions
{
    /// <summary>
    /// Saves the model: layers, class names and preprocessing in the metadata of a safetensors file, from which
    /// <see cref="Model.Load(string, bool)"/>
    /// makes it again, and the parameters, named, shaped and ordered as PyTorch has them ([out, in] and OIHW), so that its
    /// load_state_dict takes them. Initializers are kept, but for those of the user's own. The file appears whole or not at all.
    /// One parameter at a time is copied.
    /// </summary>
    /// <param name="model">A built model.</param>
    /// <param name="path">The file, replaced if it is there.</param>
    /// <param name="options">What else goes into it; null for the defaults.</param>
    /// <exception cref="InvalidOperationException">The model is not built, a parameter is not finite, or a layer is of a kind
    /// that is not registered with <see cref="LayerKinds"/>.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Save(this Layer model, string path, SaveOptions? options = null) =>
        Write(model, options ?? new SaveOptions(), withModel: true).Save(path);

    /// <summary>Writes what <see cref="Save(Layer, string, SaveOptions?)"/> saves to a stream.</summary>
    /// <param name="model">A built model.</param>
    /// <param name="stream">Where it goes; it stays open.</param>
    /// <param name="options">What else goes into it; null for the defaults.</param>
    /// <exception cref="InvalidOperationException">As for <see cref="Save(Layer, string, SaveOptions?)"/>.</exception>
    public static void Save(this Layer model, Stream stream, SaveOptions? options = null) =>
        Write(model, options ?? new SaveOptions(), withModel: true).Save(stream);

    /// <summary>
    /// Saves the parameters alone; <see cref="LoadWeights(Layer, string, LoadOptions?)"/> loads them into a model of the same
    /// layers.
    /// </summary>
    /// <param name="model">A built model.</param>
    /// <param name="path">The file, replaced if it is there.</param>
    /// <param name="allowNonFinite">Whether NaN and infinite values are saved; default false, which refuses them.</param>
    /// <exception cref="InvalidOperationException">The model is not built, or a parameter is not finite.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void SaveWeights(this Layer model, string path, bool allowNonFinite = false) =>
        Write(model, new SaveOptions { AllowNonFinite = allowNonFinite }, withModel: false).Save(path);

    /// <summary>Writes the parameters alone to a stream.</summary>
    /// <param name="model">A built model.</param>
    /// <param name="stream">Where they go; it stays open.</param>
    /// <param name="allowNonFinite">Whether NaN and infinite values are saved; default false, which refuses them.</param>
    /// <exception cref="InvalidOperationException">The model is not built, or a parameter is not finite.</exception>
    public static void SaveWeights(this Layer model, Stream stream, bool allowNonFinite = false) =>
        Write(model, new SaveOptions { AllowNonFinite = allowNonFinite }, withModel: false).Save(stream);

    /// <summary>
    /// Loads parameters that <see cref="Save(Layer, string, SaveOptions?)"/>, <see cref="SaveWeights(Layer, string, bool)"/> or
    /// PyTorch wrote. All are checked before the first is replaced. A layer that stands in the model more than once may have any
    /// of its names.
    /// </summary>
    /// <param name="model">A built model.</param>
    /// <param name="path">The file.</param>
    /// <param name="options">How strictly, and under which names; null for the defaults.</param>
    /// <returns>What was loaded and what was not.</returns>
    /// <exception cref="InvalidOperationException">The model is not built.</exception>
    /// <exception cref="FileFormatException">The file is malformed, has a number that is not finite, or, where the options are
    /// strict, lacks a parameter or has one too many or in another shape.</exception>
    /// <exception cref="IOException">The file does not exist or cannot be read.</exception>
    public static LoadResult LoadWeights(this Layer model, string path, LoadOptions? options = null)
    {
        RequireBuilt(model, nameof(LoadWeights));
        using SafetensorsReader reader = SafetensorsReader.Open(path);
        return WeightsFile.Load(model, reader, options ?? new LoadOptions());
    }

    /// <summary>Loads parameters from a stream.</summary>
    /// <param name="model">A built model.</param>
    /// <param name="stream">The content; it stays open.</param>
    /// <param name="options">How strictly, and under which names; null for the defaults.</param>
    /// <returns>What was loaded and what was not.</returns>
    /// <exception cref="InvalidOperationException">The model is not built.</exception>
    /// <exception cref="FileFormatException">As for <see cref="LoadWeights(Layer, string, LoadOptions?)"/>.</exception>
    public static LoadResult LoadWeights(this Layer model, Stream stream, LoadOptions? options = null)
    {
        RequireBuilt(model, nameof(LoadWeights));
        using SafetensorsReader reader = SafetensorsReader.Open(stream, leaveOpen: true);
        return WeightsFile.Load(model, reader, options ?? new LoadOptions());
    }

    /// <summary>
    /// Draws all parameters anew from their initializers and gives buffers, such as running statistics, their first values: what
    /// Build with this seed gives a new model. For models that were loaded, to train the same architecture from scratch.
    /// </summary>
    /// <param name="model">A built model.</param>
    /// <param name="seed">What the values are drawn from; default 0.</param>
    /// <exception cref="InvalidOperationException">The model is not built.</exception>
    /// <exception cref="ConcurrentUseException">Another thread is training the model.</exception>
    public static void Reinitialize(this Layer model, ulong seed = 0)
    {
        RequireBuilt(model, nameof(Reinitialize));
        uint place = 0;
        foreach (NamedParameter named in LayerTree.Parameters(model))
        {
            named.Parameter.Reinitialize(seed, place++);
        }
    }

    /// <summary>
    /// A table of the model's layers: path, layer, output shape, parameters, whether training changes them, and what inference
    /// takes for one example: floating-point operations (a multiplication and an addition are two) and bytes of what the layer's
    /// operators make. Both are of the direct computation, without the layers inside, and all calls of a shared layer together;
    /// they are left out where extents other than the batch's are symbols. A plan reuses memory and joins operators, so it takes
    /// less: <see cref="Trainer.PlanMemory"/> tells.
    /// </summary>
    /// <param name="model">A built model.</param>
    /// <param name="format">Columns of text, the default, or a table of Markdown.</param>
    /// <returns>The table, in lines.</returns>
    /// <exception cref="InvalidOperationException">The model is not built.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The format is not a member of the enumeration.</exception>
    public static string Summary(this Layer model, SummaryFormat format = SummaryFormat.Text)
    {
        RequireBuilt(model, nameof(Summary));
        return Enum.IsDefined(format)
            ? ModelSummary.Write(model, format)
            : throw new ArgumentOutOfRangeException(
                nameof(format), $"Summary: expected {string.Join(" or ", Enum.GetNames<SummaryFormat>())}, got {(int)format}.");
    }

    /// <summary>
    /// The model as a graph in Graphviz' language: a box for each operator with the shape of what it makes, and a frame around
    /// those of each layer. <c>dot -Tsvg model.dot</c> draws it.
    /// </summary>
    /// <param name="model">A built model.</param>
    /// <returns>The text of a file, ASCII apart from names that are not.</returns>
    /// <exception cref="InvalidOperationException">The model is not built.</exception>
    public static string ToDot(this Layer model)
    {
        RequireBuilt(model, nameof(ToDot));
        return ModelDot.Write(new ModelPicture(new ModelTrace(model)));
    }

    /// <summary>
    /// The model as an SVG picture, which browsers show: a box for each operator with its layer and the shape of what it makes,
    /// from the inputs at the top to the outputs at the bottom.
    /// </summary>
    /// <param name="model">A built model.</param>
    /// <returns>The text of a file.</returns>
    /// <exception cref="InvalidOperationException">The model is not built.</exception>
    public static string ToSvg(this Layer model)
    {
        RequireBuilt(model, nameof(ToSvg));
        return ModelSvg.Write(new ModelPicture(new ModelTrace(model)));
    }

    private static SafetensorsWriter Write(Layer model, SaveOptions options, bool withModel)
    {
        RequireBuilt(model, nameof(Save));
        var writer = new SafetensorsWriter();
        writer.SetMetadata("format", "pt");
        if (withModel)
        {
            ModelFile.Describe(writer, model, options);
        }

        WeightsFile.Add(writer, model, options.AllowNonFinite);
        return writer;
    }

    internal static void RequireBuilt(Layer model, string operation)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (model.Signature is null)
        {
            throw new InvalidOperationException(
                $"{operation}: the model is not built; call model.Build(shape of one example) first.");
        }
    }
}

/// <summary>
/// Parameters, and tensors shaped like them, in a file's order. Values that are not finite are refused, both ways.
/// </summary>
internal static class ParameterFile
{
    public static float[] Read(string name, Parameter parameter, bool allowNonFinite = false)
    {
        var engine = new float[checked((int)parameter.Count)];
        parameter.Read(engine);
        return ToFile(name, parameter, engine, allowNonFinite);
    }

    /// <summary>Fails where a value is not finite, without keeping a copy.</summary>
    public static void RequireFinite(string name, Parameter parameter, bool allowNonFinite)
    {
        if (!allowNonFinite)
        {
            var engine = new float[checked((int)parameter.Count)];
            parameter.Read(engine);
            RequireFinite(name, engine);
        }
    }

    public static float[] ToFile(string name, Parameter parameter, float[] engine, bool allowNonFinite = false)
    {
        if (!allowNonFinite)
        {
            RequireFinite(name, engine);
        }

        if (parameter.Layout == ParameterLayout.AsIs)
        {
            return engine;
        }

        var file = new float[engine.Length];
        parameter.Layout.ToFile(parameter.Shape, engine, file);
        return file;
    }

    private static void RequireFinite(string name, float[] engine)
    {
        if (FirstNonFinite(engine) is >= 0 and var at)
        {
            throw new InvalidOperationException(
                $"Parameter {name}: expected finite numbers to save, element {at} of {engine.Length} (of the values or their optimizer state) is " +
                $"{engine[at]}; nothing was saved. Go back to an earlier checkpoint, or save the weights with allowNonFinite: true.");
        }
    }

    /// <summary>A tensor of a parameter's shape, in the engine's order.</summary>
    /// <param name="scratch">Memory for tensors in the file's order, one after the other; grows to the largest.</param>
    public static float[] Load(
        SafetensorsReader reader, string name, Parameter parameter, ref float[] scratch, bool allowNonFinite = false)
    {
        SafetensorsTensor tensor = reader.Find(name);
        Shape expected = parameter.Layout.FileShape(parameter.Shape);
        if (!tensor.Shape.SequenceEqual(expected.ToArray()))
        {
            throw new FileFormatException(
                reader.FilePath, tensor.Offset, $"tensor {name} of shape {expected}", $"shape {Quote.Shape(tensor.Shape)}");
        }

        if (tensor.Count > Array.MaxLength)
        {
            throw new FileFormatException(
                reader.FilePath, tensor.Offset, $"at most {Array.MaxLength} elements in tensor {name}", $"{tensor.Count}");
        }

        bool isOrdered = parameter.Layout == ParameterLayout.AsIs;
        var engine = new float[(int)tensor.Count];
        if (!isOrdered && scratch.Length < engine.Length)
        {
            scratch = new float[engine.Length];
        }

        Span<float> file = isOrdered ? engine : scratch.AsSpan(0, engine.Length);
        reader.Read(tensor, file);
        if (!allowNonFinite && FirstNonFinite(file) is >= 0 and var at)
        {
            throw new FileFormatException(
                reader.FilePath, tensor.Offset + (at * (tensor.ByteLength / tensor.Count)), $"finite numbers in tensor {name}",
                $"{file[at]}");
        }

        if (!isOrdered)
        {
            parameter.Layout.FromFile(parameter.Shape, file, engine);
        }

        return engine;
    }

    public static void RequireNames(SafetensorsReader reader, string path, HashSet<string> names)
    {
        foreach (SafetensorsTensor tensor in reader.Tensors)
        {
            if (!names.Contains(tensor.Name))
            {
                throw new FileFormatException(
                    path, tensor.Offset, "only this model's parameters",
                    $"tensor {Quote.Text(tensor.Name)}, which the model does not have");
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
