using System.Globalization;

namespace FastNN.Cuda;

/// <summary>What the text of a PTX module says of itself.</summary>
internal static class Ptx
{
    /// <summary>".version 7.0" as "7.0", ".target sm_80" as "sm_80"; empty where there is none.</summary>
    public static string Directive(string ptx, string directive)
    {
        foreach (ReadOnlySpan<char> line in ptx.AsSpan().EnumerateLines())
        {
            ReadOnlySpan<char> text = line.TrimStart();
            if (text.StartsWith(directive, StringComparison.Ordinal) && text.Length > directive.Length
                && char.IsWhiteSpace(text[directive.Length]))
            {
                ReadOnlySpan<char> value = text[directive.Length..].Trim();
                int end = value.IndexOfAny(",/ \t");
                return (end < 0 ? value : value[..end]).ToString();
            }
        }

        return "";
    }

    /// <summary>Of "sm_80", 8.0; null for anything else.</summary>
    public static Version? Capability(string target) =>
        target.StartsWith("sm_", StringComparison.Ordinal)
            && int.TryParse(target[3..].TrimEnd('a', 'f'), CultureInfo.InvariantCulture, out int sm)
            ? new Version(sm / 10, sm % 10)
            : null;

    /// <summary>
    /// The CUDA release that brought a version of PTX: 7.x came with 11.x, and so on; 8.6 skipped one. Null for anything that is
    /// not a version.
    /// </summary>
    public static Version? LeastCuda(string version) => Version.TryParse(version, out Version? ptx)
        ? new Version(ptx.Major + 4, ptx is { Major: 8, Minor: >= 6 } ? ptx.Minor + 1 : ptx.Minor)
        : null;

    /// <summary>The bytes of each kernel's one parameter; -1 where it has none or several.</summary>
    public static Dictionary<string, int> ParameterBytes(string ptx) =>
        ParameterSizes(ptx).ToDictionary(
            kernel => kernel.Key, kernel => kernel.Value is [int bytes] ? bytes : -1, StringComparer.Ordinal);

    /// <summary>The bytes of each kernel's parameters, in their order; -1 for what is not understood.</summary>
    public static Dictionary<string, int[]> ParameterSizes(string ptx)
    {
        const string entry = ".entry";
        var found = new Dictionary<string, int[]>(StringComparer.Ordinal);
        for (int at = ptx.IndexOf(entry, StringComparison.Ordinal); at >= 0; at = ptx.IndexOf(
            entry, at, StringComparison.Ordinal))
        {
            at += entry.Length;
            int open = ptx.IndexOfAny(['(', '{'], at);
            if (open < 0)
            {
                break;
            }

            int close = ptx[open] == '(' ? ptx.IndexOf(')', open) : open;
            if (close < 0)
            {
                break;
            }

            string[] parameters = ptx[open..close].Split(".param")[1..];
            found[ptx[at..open].Trim()] = Array.ConvertAll(parameters, parameter => Bytes(parameter));
        }

        return found;
    }

    /// <summary>Of " .align 8 .b8 name_param_0[40]" 40; of a scalar its width.</summary>
    private static int Bytes(ReadOnlySpan<char> parameter)
    {
        int element = 0;
        foreach (Range part in parameter.SplitAny(' ', '\t', '\n', '\r'))
        {
            ReadOnlySpan<char> word = parameter[part];
            if (word.Length > 2 && word[0] == '.' && word[1] is 'b' or 'u' or 's' or 'f'
                && int.TryParse(word[2..], CultureInfo.InvariantCulture, out int bits))
            {
                element = bits / 8;
            }
        }

        int bracket = parameter.IndexOf('[');
        if (bracket < 0)
        {
            return element > 0 ? element : -1;
        }

        int end = parameter.IndexOf(']');
        return end > bracket && int.TryParse(parameter[(bracket + 1)..end].Trim(), CultureInfo.InvariantCulture, out int count)
            ? element * count
            : -1;
    }
}
