using FastNN.Data;

namespace FastNN.Cli.Recipes;

/// <summary>A classifier of sequences: symbols [B, T], filled up with padding, become scores [B, classes].</summary>
internal abstract class Reader : Layer
{
    private readonly Embedding _embedding;
    private readonly Dense _attention;

    /// <param name="symbols">Of the vocabulary.</param>
    /// <param name="width">Of the embeddings.</param>
    protected Reader(int symbols, int width)
    {
        var table = new Embedding(symbols, width)
        {
            PaddingIndex = WordVocabulary.Padding,
            WeightInitializer = Initializer.Normal(0, 0.1f),
        };
        _embedding = AddLayer(table, "embedding");
        _attention = AddLayer(new Dense(1), "attention");
    }

    protected sealed override Value Forward(Value x)
    {
        Value isWord = x.NotEqual(x.Graph.ConstantInt32([WordVocabulary.Padding], [1]));
        return Read(_embedding.Apply(x), isWord);
    }

    /// <param name="embedded">[B, T, width], zeros for padding.</param>
    /// <param name="isWord">[B, T], Bool.</param>
    protected abstract Value Read(Value embedded, Value isWord);

    /// <summary>Of rows [B, T, D] the mean with learned weights (attention) and the maximum over time, [B, 2 D].</summary>
    protected Value Pool(Value rows, Value isWord)
    {
        Value isRow = isWord.Unsqueeze(2);
        Value shares = ShapeOperators.Where(isRow, _attention.Apply(rows), -1e9f).Softmax(1);
        return Operators.Concat(-1, (rows * shares).Sum([1]), ShapeOperators.Where(isRow, rows, -1e4f).Max([1]));
    }

    /// <summary>How many words each sequence has, at least 1: [B, 1].</summary>
    protected static Value Count(Value isWord) => isWord.Cast(DType.Float32).Sum([1], keepDims: true).Maximum(1f);
}

/// <summary>
/// Convolutions over 3 and 5 words (Kim, 2014), and beside them the sum of all words' embeddings over the root of their number.
/// </summary>
internal sealed class ConvolutionalReader : Reader
{
    private readonly Conv1D _three, _five;
    private readonly Dense _scores, _bag;

    public ConvolutionalReader(int symbols, int width, int filters, int classes)
        : base(symbols, width)
    {
        _three = AddLayer(new Conv1D(filters, 3, Activation.ReLU) { Padding = 1 }, "three");
        _five = AddLayer(new Conv1D(filters, 5, Activation.ReLU) { Padding = 2 }, "five");
        _scores = AddLayer(new Dense(classes), "scores");
        _bag = AddLayer(new Dense(classes), "bag");
    }

    protected override Value Read(Value embedded, Value isWord)
    {
        embedded = embedded.Dropout(0.3f);
        Value rows = Operators.Concat(-1, _three.Apply(embedded), _five.Apply(embedded), embedded);
        return _scores.Apply(Pool(rows, isWord).Dropout(0.5f)) + _bag.Apply(embedded.Sum([1]) / Count(isWord).Sqrt());
    }
}

/// <summary>A bidirectional LSTM, pooled together with the embeddings.</summary>
internal sealed class RecurrentReader : Reader
{
    private readonly Lstm _lstm;
    private readonly Dense _scores;

    public RecurrentReader(int symbols, int width, int units, int classes)
        : base(symbols, width)
    {
        _lstm = AddLayer(new Lstm(units) { IsBidirectional = true }, "lstm");
        _scores = AddLayer(new Dense(classes), "scores");
    }

    protected override Value Read(Value embedded, Value isWord)
    {
        embedded = embedded.Dropout(0.3f);
        Value states = _lstm.Apply([embedded, Count(isWord).Squeeze(1).Cast(DType.Int32)])[0];
        return _scores.Apply(Pool(Operators.Concat(-1, states, embedded), isWord).Dropout(0.4f));
    }
}

/// <summary>One layer of a Transformer's encoder (Vaswani et al., 2017) with learned positions.</summary>
internal sealed class AttentiveReader : Reader
{
    private readonly LearnedPositions _positions;
    private readonly TransformerEncoder _encoder;
    private readonly Dense _scores;

    public AttentiveReader(int symbols, int width, int maxLength, int classes)
        : base(symbols, width)
    {
        _positions = AddLayer(new LearnedPositions(maxLength), "positions");
        _encoder = AddLayer(
            new TransformerEncoder(
            [
                new TransformerEncoderLayer(width, 4, 2 * width)
                {
                    NormFirst = true,
                    HasKeyPaddingMask = true,
                    Dropout = 0.1f,
                    Activation = Activation.Gelu,
                },
            ])
            {
                HasNorm = true,
            },
            "encoder");
        _scores = AddLayer(new Dense(classes), "scores");
    }

    protected override Value Read(Value embedded, Value isWord)
    {
        Value rows = _encoder.Apply([_positions.Apply(embedded).Dropout(0.2f), isWord])[0];
        return _scores.Apply(Pool(rows, isWord).Dropout(0.3f));
    }
}
