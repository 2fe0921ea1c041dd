using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace FastNN.Tests.Formats;

/// <summary>
/// A message of protobuf, read by a table of its fields: one that is not in the table, has another wire type, or stands twice
/// where it may stand once is an error, so that every byte of an event is accounted for. Integers are long, all else as its kind
/// says.
/// </summary>
internal sealed class EventMessage
{
    private static readonly Dictionary<string, Dictionary<int, (string Name, string Kind)>> Messages = new()
    {
        ["Event"] = Table("1 wall_time double", "2 step int", "3 file_version text", "4 graph_def GraphDef", "5 summary Summary",
            "7 session_log SessionLog"),
        ["SessionLog"] = Table("1 status int"),
        ["Summary"] = Table("1 value* Value"),
        ["Value"] = Table("1 tag text", "2 simple_value float", "4 image Image", "5 histo Histogram", "8 tensor Tensor",
            "9 metadata Metadata"),
        ["Image"] = Table("1 height int", "2 width int", "3 colorspace int", "4 encoded_image_string bytes"),
        ["Histogram"] = Table("1 min double", "2 max double", "3 num double", "4 sum double", "5 sum_squares double",
            "6 bucket_limit doubles", "7 bucket doubles"),
        ["Metadata"] = Table("1 plugin_data PluginData"),
        ["PluginData"] = Table("1 plugin_name text", "2 content HParams"),
        ["Tensor"] = Table("1 dtype int", "2 tensor_shape TensorShape", "8 string_val* text"),
        ["TensorShape"] = Table("2 dim* Dim"),
        ["Dim"] = Table("1 size int"),
        ["HParams"] = Table("2 experiment Experiment", "3 session_start_info Start", "4 session_end_info End"),
        ["Experiment"] = Table("3 time_created_secs double", "4 hparam_infos* HParamInfo", "5 metric_infos* MetricInfo"),
        ["HParamInfo"] = Table("1 name text", "4 type int"),
        ["MetricInfo"] = Table("1 name MetricName"),
        ["MetricName"] = Table("1 group text", "2 tag text"),
        ["Start"] = Table("1 hparams* HParam", "5 start_time_secs double"),
        ["HParam"] = Table("1 key text", "2 value HParamValue"),
        ["HParamValue"] = Table("2 number_value double", "3 string_value text", "4 bool_value int"),
        ["End"] = Table("1 status int", "2 end_time_secs double"),
        ["GraphDef"] = Table("1 node* Node", "4 versions Versions"),
        ["Versions"] = Table("1 producer int"),
        ["Node"] = Table("1 name text", "2 op text", "3 input* text", "5 attr* Attribute"),
        ["Attribute"] = Table("1 key text", "2 value AttrValue"),
        ["AttrValue"] = Table("1 list AttrList", "6 type int", "7 shape TensorShape"),
        ["AttrList"] = Table("7 shape* TensorShape"),
    };

    private readonly Dictionary<string, object> _fields = [];

    private EventMessage(ReadOnlySpan<byte> bytes, string kind)
    {
        while (!bytes.IsEmpty)
        {
            ulong tag = Varint(ref bytes);
            if (!Messages[kind].TryGetValue((int)(tag >> 3), out (string Name, string Kind) field))
            {
                throw new InvalidDataException($"{kind} has no field {tag >> 3}");
            }

            bool isList = field.Name.EndsWith('*');
            string name = field.Name.TrimEnd('*');
            object value = Value(ref bytes, (int)(tag & 7), field.Kind, $"{kind}.{name}");
            if (!isList)
            {
                _fields.Add(name, value);
            }
            else if (_fields.TryGetValue(name, out object? list))
            {
                ((List<object>)list).Add(value);
            }
            else
            {
                _fields.Add(name, new List<object> { value });
            }
        }
    }

    public IEnumerable<string> Names => _fields.Keys;

    public EventMessage this[string name] => Get<EventMessage>(name);

    public static EventMessage Event(ReadOnlySpan<byte> bytes) => new(bytes, "Event");

    public bool Has(string name) => _fields.ContainsKey(name);

    /// <summary>A field; 0 or null where it is left out.</summary>
    public T Get<T>(string name) => _fields.TryGetValue(name, out object? value) ? (T)value : default!;

    public T[] All<T>(string name) => _fields.TryGetValue(name, out object? list) ? [.. ((List<object>)list).Cast<T>()] : [];

    private static object Value(ref ReadOnlySpan<byte> bytes, int wire, string kind, string place)
    {
        int expected = kind switch { "int" => 0, "double" => 1, "float" => 5, _ => 2 };
        if (wire != expected)
        {
            throw new InvalidDataException($"{place}: wire type {wire}");
        }

        switch (kind)
        {
            case "int":
                return (long)Varint(ref bytes);
            case "double":
                return BinaryPrimitives.ReadDoubleLittleEndian(Take(ref bytes, 8));
            case "float":
                return BinaryPrimitives.ReadSingleLittleEndian(Take(ref bytes, 4));
        }

        ReadOnlySpan<byte> content = Take(ref bytes, (int)Varint(ref bytes));
        return kind switch
        {
            "text" => new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(content),
            "bytes" => content.ToArray(),
            "doubles" => Doubles(content),
            _ => new EventMessage(content, kind),
        };
    }

    private static double[] Doubles(ReadOnlySpan<byte> content)
    {
        var values = new double[content.Length / 8];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = BinaryPrimitives.ReadDoubleLittleEndian(Take(ref content, 8));
        }

        return content.IsEmpty ? values : throw new InvalidDataException("part of a double");
    }

    private static ReadOnlySpan<byte> Take(ref ReadOnlySpan<byte> bytes, int count)
    {
        ReadOnlySpan<byte> taken = bytes[..count];
        bytes = bytes[count..];
        return taken;
    }

    private static ulong Varint(ref ReadOnlySpan<byte> bytes)
    {
        ulong value = 0;
        for (int shift = 0; ; shift += 7)
        {
            byte b = Take(ref bytes, 1)[0];
            value |= (ulong)(b & 0x7F) << shift;
            if (b < 0x80)
            {
                // The shortest form, as all official implementations write it.
                return b != 0 || shift == 0 ? value : throw new InvalidDataException("a number with needless bytes");
            }
        }
    }

    private static Dictionary<int, (string Name, string Kind)> Table(params string[] fields) =>
        fields.Select(field => field.Split(' ')).ToDictionary(
            parts => int.Parse(parts[0], CultureInfo.InvariantCulture), parts => (parts[1], parts[2]));
}

/// <summary>Reads the framing of event files; checksums are computed bit by bit.</summary>
internal static class EventReader
{
    /// <summary>The whole records, up to a piece of one.</summary>
    /// <exception cref="InvalidDataException">A checksum is wrong.</exception>
    public static List<EventMessage> Read(ReadOnlySpan<byte> file)
    {
        var events = new List<EventMessage>();
        while (file.Length >= 12)
        {
            long length = BinaryPrimitives.ReadInt64LittleEndian(file);
            RequireCrc(file[..8], file[8..]);
            if (file.Length < 16 + length)
            {
                break;
            }

            ReadOnlySpan<byte> record = file.Slice(12, (int)length);
            RequireCrc(record, file[(int)(12 + length)..]);
            events.Add(EventMessage.Event(record));
            file = file[(int)(16 + length)..];
        }

        return events;
    }

    /// <summary>Reads a file that may be open for writing.</summary>
    public static List<EventMessage> ReadFile(string path)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return Read(bytes);
    }

    /// <summary>The values of the summaries of all files of a folder, in order, each with its step.</summary>
    public static List<(long Step, EventMessage Value)> Values(string folder)
    {
        var values = new List<(long Step, EventMessage Value)>();
        foreach (EventMessage read in Directory.GetFiles(folder, "*tfevents*").Order(StringComparer.Ordinal).SelectMany(ReadFile))
        {
            if (read.Has("summary"))
            {
                long step = read.Has("step") ? read.Get<long>("step") : 0;
                values.AddRange(read["summary"].All<EventMessage>("value").Select(value => (step, value)));
            }
        }

        return values;
    }

    private static void RequireCrc(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> masked)
    {
        uint crc = 0xFFFFFFFF;
        foreach (byte b in bytes)
        {
            for (int bit = 0; bit < 8; bit++)
            {
                crc = (crc >> 1) ^ ((((crc ^ ((uint)b >> bit)) & 1) != 0) ? 0x82F63B78u : 0);
            }
        }

        crc = ~crc;
        uint expected = ((crc >> 15) | (crc << 17)) + 0xA282EAD8;
        if (BinaryPrimitives.ReadUInt32LittleEndian(masked) != expected)
        {
            throw new InvalidDataException("checksum");
        }
    }
}
