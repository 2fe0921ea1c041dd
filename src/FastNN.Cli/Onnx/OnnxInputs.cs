using System.CommandLine;
using System.Globalization;
using FastNN.Onnx;

namespace FastNN.Cli.Onnx;

/// <summary>What the command line says of a model's inputs: files for some, extents for others.</summary>
internal static class OnnxInputs
{
    private const string Archive = ".npz";

    public static Argument<string> File() => new("file") { Description = "The ONNX file.", HelpName = "FILE" };

    public static Option<string[]> Values() => Many(
        "--input", "name=file.npy|file.npz", "An input's values, or an archive with the values of several under their names.");

    public static Option<string[]> Shapes() => Many(
        "--shape", "name=1x3x224x224", "An input's extents; symbols are 1 by default. Its values are random, integers are 0.");

    /// <summary>Where the weights of a file that is written go.</summary>
    public static Option<bool> ExternalData() => new("--external-data")
    {
        Description = "Write the weights to a second file beside it, with .data behind its name; always so beyond 2 GB.",
    };

    /// <summary>What was written: the file's bytes, and those of the weights beside it, where its model has some there.</summary>
    public static string Written(string path)
    {
        string size = string.Create(CultureInfo.InvariantCulture, $"{new FileInfo(path).Length:N0} bytes");
        using OnnxModel model = OnnxModel.Load(path);
        return model.Definition.Graph!.Initializers.Exists(tensor => tensor.External is not null)
            ? string.Create(CultureInfo.InvariantCulture, $"{size}, and {new FileInfo($"{path}.data").Length:N0} in {path}.data")
            : size;
    }

    private static Option<string[]> Many(string name, string form, string what) => new(name)
    {
        Description = what,
        HelpName = form,
        Arity = ArgumentArity.ZeroOrMore,
        DefaultValueFactory = _ => [],
    };

    /// <summary>Splits name=value.</summary>
    public static (string Name, string Value) Pair(string option, string text, string form)
    {
        int equals = text.LastIndexOf('=');
        return equals > 0 && equals < text.Length - 1
            ? (text[..equals], text[(equals + 1)..])
            : throw Failure.OfUsage($"{option} '{text}': expected {form}");
    }

    /// <summary>Reads the values that are given.</summary>
    public static Dictionary<string, OnnxValue> Read(OnnxModel model, string[] values)
    {
        var inputs = new Dictionary<string, OnnxValue>(StringComparer.Ordinal);
        foreach (string text in values)
        {
            if (text.EndsWith(Archive, StringComparison.Ordinal) && !text.Contains('=', StringComparison.Ordinal))
            {
                foreach ((string name, OnnxTensor value) in NumpyFile.ReadArchive(text))
                {
                    Add(model, inputs, name, value);
                }
            }
            else
            {
                (string name, string path) = Pair("--input", text, "name=file.npy");
                Require(model, "--input", name);
                Add(model, inputs, name, NumpyFile.Read(path));
            }
        }

        return inputs;
    }

    private static void Add(OnnxModel model, Dictionary<string, OnnxValue> inputs, string name, OnnxTensor value)
    {
        Require(model, "--input", name);
        if (!inputs.TryAdd(name, value))
        {
            throw Failure.OfUsage($"--input: '{name}' is given twice");
        }
    }

    /// <summary>Values for inputs that are not given and have no default: of the extents given, or of those declared with 1 for
    /// symbols.</summary>
    public static void Fill(OnnxModel model, Dictionary<string, OnnxValue> inputs, string[] shapes)
    {
        var extents = new Dictionary<string, int[]>(StringComparer.Ordinal);
        foreach (string text in shapes)
        {
            (string name, string value) = Pair("--shape", text, "name=1x3x224x224");
            Require(model, "--shape", name);
            if (!extents.TryAdd(name, Extents(text, value)))
            {
                throw Failure.OfUsage($"--shape: '{name}' is given twice");
            }
        }

        var random = new Random(1);
        foreach (OnnxValueInfo input in model.Inputs.Where(input => !input.HasDefault && !inputs.ContainsKey(input.Name)))
        {
            int[] dims = extents.GetValueOrDefault(input.Name) ?? Declared(input);
            inputs.Add(input.Name, Made(input, dims, random));
        }
    }

    private static int[] Extents(string text, string value) =>
        [.. value.Split(['x', ',']).Select(part => int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture,
            out int extent)
            && extent > 0 ? extent
                : throw Failure.OfUsage($"--shape '{text}': expected extents from 1 on, such as 1x3x224x224"))];

    private static int[] Declared(OnnxValueInfo input) => input.Dimensions is { } dimensions
        ? [.. dimensions.Select(extent => int.TryParse(extent, NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            ? Math.Max(1, number)
            : 1)]
        : throw Failure.OfUsage($"--shape: the file does not say how many axes {input} has; give --shape {input.Name}=EXTENTS");

    private static OnnxTensor Made(OnnxValueInfo input, int[] dims, Random random)
    {
        long count = dims.Aggregate(1L, (product, extent) => Math.Min(Array.MaxLength + 1L, product * extent));
        if (count > Array.MaxLength)
        {
            throw Failure.OfUsage($"--shape: {input.Name} would have more than {Array.MaxLength} elements");
        }

        if (input.ElementType is OnnxElementType.Undefined or OnnxElementType.String)
        {
            throw Failure.OfUsage($"--input: expected values for {input}, which cannot be made up");
        }

        if (input.ElementType == OnnxElementType.Float32)
        {
            var values = new float[count];
            for (int i = 0; i < values.Length; i++)
            {
                values[i] = (random.NextSingle() * 2) - 1;
            }

            return OnnxTensor.Create(values, dims);
        }

        return OnnxTensor.Zeros(input.ElementType, dims);
    }

    private static void Require(OnnxModel model, string option, string name)
    {
        if (!model.Inputs.Any(input => input.Name == name))
        {
            throw Failure.OfUsage($"{option}: the model has no input '{name}'; its inputs are {string.Join("; ", model.Inputs)}");
        }
    }
}
