using System.Buffers;
using System.Text;
using System.Text.Json;
using FastNN.Formats;

namespace FastNN.Layers;

/// <summary>
/// A model in the metadata of a safetensors file. Layers stand in one list, parts before what is made of them, so that no file
/// can nest or circle; shared layers stand there once. What a file makes the reader do is bounded before it is done.
/// </summary>
internal static class ModelFile
{
    private const string Key = "fastnn.model";
    private const string ClassesKey = "fastnn.classes";
    private const string PreprocessingKey = "fastnn.preprocessing";
    private const int Version = 1;
    private const double MostRecordings = 1_000_000;

    private static readonly JsonDocumentOptions Json = new() { MaxDepth = 8 };

    /// <exception cref="InvalidOperationException">A layer is of a kind that is not registered.</exception>
    public static void Describe(SafetensorsWriter writer, Layer model, SaveOptions options)
    {
        Layer root = (model as Model)?.Wrapped ?? model;
        writer.SetMetadata(Key, Write(root, model.Signature!));
        IReadOnlyList<string> classes = options.ClassNames ?? (model as Model)?.ClassNames ?? [];
        if (classes.Count > 0)
        {
            writer.SetMetadata(
                ClassesKey, WriteJson(json => WriteArray(json, classes, (writer, name) => writer.WriteStringValue(name))));
        }

        if ((options.Preprocessing ?? (model as Model)?.Preprocessing) is { } preprocessing)
        {
            writer.SetMetadata(PreprocessingKey, WriteJson(json =>
            {
                json.WriteStartObject();
                json.WritePropertyName("offset");
                WriteArray(json, preprocessing.Offset.ToArray(), (writer, value) => writer.WriteNumberValue(value));
                json.WritePropertyName("scale");
                WriteArray(json, preprocessing.Scale.ToArray(), (writer, value) => writer.WriteNumberValue(value));
                json.WriteEndObject();
            }));
        }
    }

    /// <exception cref="FileFormatException">The file holds no model, or one that cannot be made.</exception>
    public static Model Load(SafetensorsReader reader, bool allowNonFinite)
    {
        if (!reader.Metadata.TryGetValue(Key, out string? text))
        {
            throw Fault(reader, "a model file", "weights alone; make the network and call LoadWeights");
        }

        try
        {
            using var document = JsonDocument.Parse(text, Json);
            Model model = Read(reader, document.RootElement);
            if (reader.Metadata.TryGetValue(ClassesKey, out string? classes))
            {
                using var names = JsonDocument.Parse(classes, Json);
                model.ClassNames = Texts(names.RootElement);
            }

            if (reader.Metadata.TryGetValue(PreprocessingKey, out string? preprocessing))
            {
                using var numbers = JsonDocument.Parse(preprocessing, Json);
                model.Preprocessing = new Preprocessing(
                    Singles(numbers.RootElement.GetProperty("offset")), Singles(numbers.RootElement.GetProperty("scale")));
            }

            WeightsFile.Load(model, reader, new LoadOptions { AllowNonFinite = allowNonFinite });
            return model;
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException
            or ArgumentException or ArithmeticException)
        {
            throw Fault(reader, "a model that can be made", e.Message, e);
        }
    }

    /// <exception cref="ArgumentException">The type is unknown.</exception>
    public static DType ReadType(string name)
    {
        foreach (DType type in DTypes.All)
        {
            if (type.ToString() == name)
            {
                return type;
            }
        }

        throw new ArgumentException($"there is no element type '{Quote.Text(name)}'.");
    }

    private static string Write(Layer root, IReadOnlyList<ModelInput> signature)
    {
        // Also fails where layers are inside themselves or too deep, so that the recursion below ends.
        string[] frozen = [.. root.NamedParameters.Where(named => !named.Parameter.IsTrainable).Select(named => named.Name)];
        return WriteJson(json =>
        {
            json.WriteStartObject();
            json.WriteNumber("version", Version);
            json.WriteStartArray("layers");
            Write(json, root, new Dictionary<Layer, int>(ReferenceEqualityComparer.Instance));
            json.WriteEndArray();
            if (root is not Model)
            {
                json.WriteString("input", signature[0].Name);
                json.WriteString("shape", ShapeText.Write(signature[0].Shape));
            }

            json.WritePropertyName("frozen");
            WriteArray(json, frozen, (writer, name) => writer.WriteStringValue(name));
            json.WriteEndObject();
        });
    }

    /// <summary>Writes a layer behind its parts; its place in the list.</summary>
    private static int Write(Utf8JsonWriter json, Layer layer, Dictionary<Layer, int> known)
    {
        if (known.TryGetValue(layer, out int place))
        {
            return place;
        }

        string kind = LayerKinds.Find(layer) ?? throw new InvalidOperationException(
            $"Save: {layer.GetType().Name} is of no registered kind, so no file can make it again; register it with LayerKinds.Register, or save the " +
            "parameters alone with SaveWeights.");
        var description = new LayerDescription(kind, layer.Name, []);
        layer.Describe(description);
        int[] parts = [.. description.Layers.Select(part => Write(json, part, known))];
        json.WriteStartObject();
        json.WriteString("kind", kind);
        if (layer.Name is { } name)
        {
            json.WriteString("name", name);
        }

        json.WriteStartObject("with");
        foreach ((string attribute, object value) in description.Attributes)
        {
            json.WritePropertyName(attribute);
            WriteValue(json, value);
        }

        json.WriteEndObject();
        if (parts.Length > 0)
        {
            json.WritePropertyName("layers");
            WriteArray(json, parts, (writer, part) => writer.WriteNumberValue(part));
        }

        json.WriteEndObject();
        known.Add(layer, known.Count);
        return known.Count - 1;
    }

    private static void WriteValue(Utf8JsonWriter json, object value)
    {
        switch (value)
        {
            case double number:
                json.WriteNumberValue(number);
                break;
            case bool truth:
                json.WriteBooleanValue(truth);
                break;
            case double[] numbers:
                WriteArray(json, numbers, (writer, number) => writer.WriteNumberValue(number));
                break;
            case string[] texts:
                WriteArray(json, texts, (writer, text) => writer.WriteStringValue(text));
                break;
            default:
                json.WriteStringValue((string)value);
                break;
        }
    }

    private static Model Read(SafetensorsReader reader, JsonElement root)
    {
        if (root.GetProperty("version").GetInt32() is var version && version != Version)
        {
            throw new ArgumentException(
                $"expected a model of version {Version}, got {version}; it was written by a newer release.");
        }

        var layers = new List<Layer>();
        var costs = new Dictionary<Layer, double>(ReferenceEqualityComparer.Instance);
        foreach (JsonElement element in root.GetProperty("layers").EnumerateArray())
        {
            LayerDescription description = ReadDescription(element, layers);
            Func<LayerDescription, Layer> create = LayerKinds.Find(description.Kind) ?? throw Fault(
                reader, "layers of known kinds",
                $"'{Quote.Text(description.Kind)}'; register it with LayerKinds.Register before the file is loaded");
            double cost = description.Kind == nameof(Model)
                ? 1 + Model.Cost(description, layer => costs[layer])
                : 1 + description.Layers.Sum(layer => costs[layer]);
            if (cost > MostRecordings)
            {
                throw new ArgumentException(
                    $"expected at most {MostRecordings:N0} layers, shared ones counted as often as they are applied.");
            }

            Layer layer = create(description);
            layers.Add(layer);
            costs[layer] = cost;
        }

        if (layers.Count == 0)
        {
            throw new ArgumentException("expected at least one layer, got none.");
        }

        Model model;
        if (layers[^1] is Model functional)
        {
            model = functional;
            model.Prepare();
        }
        else
        {
            layers[^1].Prepare(ShapeText.Read(root.GetProperty("shape").GetString()!));
            model = Model.Of(layers[^1], new ModelInput(root.GetProperty("input").GetString()!, layers[^1].ExampleShape!.Value));
        }

        Freeze(model, root.GetProperty("frozen"));
        return model;
    }

    private static void Freeze(Model model, JsonElement names)
    {
        var frozen = Texts(names).ToHashSet(StringComparer.Ordinal);
        foreach ((string name, Parameter parameter) in model.NamedParameters)
        {
            parameter.IsTrainable = !frozen.Contains(name);
        }
    }

    private static LayerDescription ReadDescription(JsonElement element, List<Layer> known)
    {
        List<Layer> parts = [];
        if (element.TryGetProperty("layers", out JsonElement places))
        {
            foreach (JsonElement place in places.EnumerateArray())
            {
                parts.Add((uint)place.GetInt32() < (uint)known.Count
                    ? known[place.GetInt32()]
                    : throw new ArgumentException(
                        $"expected parts before what is made of them, got place {place.GetInt32()} of {known.Count}."));
            }
        }

        string? name = element.TryGetProperty("name", out JsonElement given) ? given.GetString() : null;
        var description = new LayerDescription(
            element.GetProperty("kind").GetString() ?? throw new FormatException("expected a kind, got null."), name, parts);
        foreach (JsonProperty attribute in element.GetProperty("with").EnumerateObject())
        {
            description.Add(attribute.Name, attribute.Value.ValueKind switch
            {
                JsonValueKind.Number => attribute.Value.GetDouble(),
                JsonValueKind.True => true,
                JsonValueKind.False => false,
                JsonValueKind.String => attribute.Value.GetString()!,
                JsonValueKind.Array when attribute.Value.GetArrayLength() > 0
                    && attribute.Value[0].ValueKind == JsonValueKind.String => Texts(attribute.Value),
                JsonValueKind.Array => Array.ConvertAll([.. attribute.Value.EnumerateArray()], value => value.GetDouble()),
                _ =>
                    throw new FormatException(
                        $"expected a number, a truth value, a text or a row of them as attribute '{Quote.Text(attribute.Name)}'."),
            });
        }

        return description;
    }

    private static string[] Texts(JsonElement array) =>
        Array.ConvertAll(
            [.. array.EnumerateArray()], value => value.GetString() ?? throw new FormatException("expected texts, got null."));

    private static float[] Singles(JsonElement array) =>
        Array.ConvertAll([.. array.EnumerateArray()], value => value.GetSingle());

    private static string WriteJson(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            write(json);
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private static void WriteArray<T>(Utf8JsonWriter json, IEnumerable<T> values, Action<Utf8JsonWriter, T> write)
    {
        json.WriteStartArray();
        foreach (T value in values)
        {
            write(json, value);
        }

        json.WriteEndArray();
    }

    private static FileFormatException Fault(SafetensorsReader reader, string expected, string got, Exception? inner = null) =>
        new(reader.FilePath, sizeof(ulong), expected, got, inner);
}
