namespace FastNN.Cli.Recipes;

/// <summary>
/// Two layers over the nodes of a graph, each x W + b and, for every relation, the relation's sparse matrix times x W'
/// (GraphSAGE, Hamilton et al., 2017, with the mean as aggregate; a weight for each relation as Schlichtkrull et al., 2018).
/// Without relations it is a multilayer perceptron.
/// </summary>
/// <param name="features">[N, features].</param>
/// <param name="relations">[N, N] each: what a node takes of its neighbors.</param>
/// <param name="width">Hidden units.</param>
/// <param name="classes">Outputs.</param>
internal sealed class GraphNetwork(
    SparseMatrix features, SparseMatrix[] relations, int width, int classes) : FullBatchModel
{
    private readonly List<Parameter> _weights = [], _biases = [];

    private int Terms => relations.Length + 1;

    protected override void Build(Value x)
    {
        foreach ((string name, int inputs, int outputs) in ((string, int, int)[])[
            ("hidden", features.Columns, width), ("output", width, classes)])
        {
            // The matrices of all terms side by side are one product. A node has few of the words, so that what is usual for a
            // dense layer of as many inputs would be too little.
            float limit = MathF.Sqrt(6f / (Math.Min(inputs, 1000) + outputs));
            _weights.Add(AddParameter(
                $"{name}.weight", new Shape(inputs, Terms * outputs), Initializer.Uniform(-limit, limit)));
            _biases.Add(AddParameter($"{name}.bias", new Shape(outputs), Initializer.Zeros));
        }
    }

    protected override Value Scores(Graph graph)
    {
        Value hidden = Combine(graph.Use(_weights[0]).SparseMatMul(features), 0).ReLU().Dropout(0.5f);
        return Combine(hidden.Dense(graph.Use(_weights[1])), 1);
    }

    private Value Combine(Value products, int layer)
    {
        int outputs = products.Shape[1] / Terms;
        Value[] terms = products.Split(-1, [.. Enumerable.Repeat(outputs, Terms)]);
        Value sum = products.Graph.Use(_biases[layer]);
        for (int i = 0; i < relations.Length; i++)
        {
            sum = terms[i].SparseMatMul(relations[i]) + sum;
        }

        return terms[^1] + sum;
    }
}
