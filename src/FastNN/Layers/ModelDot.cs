using System.Globalization;
using System.Text;

namespace FastNN.Layers;

/// <summary>Draws a model in Graphviz' DOT language.</summary>
internal sealed class ModelDot
{
    private readonly StringBuilder _text = new();
    private int _clusters;

    private ModelDot()
    {
    }

    public static string Write(ModelPicture picture)
    {
        var dot = new ModelDot();
        dot.WriteAll(picture);
        return dot._text.ToString();
    }

    private void WriteAll(ModelPicture picture)
    {
        _text.Append("digraph model {\n");
        Line(1, "rankdir=TB;");
        Line(1, "node [shape=box, style=rounded, fontname=\"sans-serif\", fontsize=10];");
        WriteScope([.. picture.Nodes], "", 1);
        foreach ((int from, int to) in picture.Edges)
        {
            Line(1, $"{picture.Nodes[from].Id} -> {picture.Nodes[to].Id};");
        }

        _text.Append("}\n");
    }

    /// <summary>The nodes of a scope, and a frame for each scope in it, in the order of their first nodes.</summary>
    private void WriteScope(PictureNode[] nodes, string scope, int depth)
    {
        int start = scope.Length == 0 ? 0 : scope.Length + 1;
        foreach (IGrouping<string, PictureNode> group in nodes.GroupBy(node => Step(node.Scope, start)))
        {
            if (group.Key.Length == 0)
            {
                foreach (PictureNode node in group)
                {
                    string shape = node.IsEnd ? "shape=ellipse, " : "";
                    Line(depth, $"{node.Id} [{shape}label={Quoted($"{node.Title}\n{node.Shapes}")}];");
                }

                continue;
            }

            Line(depth, string.Create(CultureInfo.InvariantCulture, $"subgraph cluster{_clusters++} {{"));
            Line(depth + 1, $"label={Quoted(group.Key)}; color=gray; fontname=\"sans-serif\"; fontsize=10;");
            WriteScope([.. group], scope.Length == 0 ? group.Key : $"{scope}/{group.Key}", depth + 1);
            Line(depth, "}");
        }
    }

    /// <summary>The next part of a scope's path; "" at its end.</summary>
    private static string Step(string path, int start)
    {
        if (start >= path.Length)
        {
            return "";
        }

        int end = path.IndexOf('/', start);
        return end < 0 ? path[start..] : path[start..end];
    }

    private void Line(int depth, string line) => _text.Append(' ', 2 * depth).Append(line).Append('\n');

    private static string Quoted(string label)
    {
        var text = new StringBuilder("\"");
        foreach (char c in label)
        {
            _ = c switch
            {
                '"' => text.Append("\\\""),
                '\\' => text.Append("\\\\"),
                '\n' => text.Append("\\n"),
                _ when char.IsControl(c) => text.Append(' '),
                _ => text.Append(c),
            };
        }

        return text.Append('"').ToString();
    }
}
