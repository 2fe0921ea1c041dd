namespace FastNN.Cli.Recipes;

/// <summary>The last transitions of an agent, drawn at random to learn from (Lin, 1992); the oldest are overwritten.</summary>
internal sealed class ReplayMemory(int capacity, int observationSize)
{
    private readonly float[] _before = new float[capacity * observationSize];
    private readonly float[] _after = new float[capacity * observationSize];
    private readonly int[] _actions = new int[capacity];
    private readonly float[] _rewards = new float[capacity];
    private readonly bool[] _terminated = new bool[capacity];
    private int _next;

    public int Count { get; private set; }

    public void Add(ReadOnlySpan<float> before, int action, float reward, ReadOnlySpan<float> after, bool terminated)
    {
        before.CopyTo(_before.AsSpan(_next * observationSize));
        after.CopyTo(_after.AsSpan(_next * observationSize));
        (_actions[_next], _rewards[_next], _terminated[_next]) = (action, reward, terminated);
        _next = (_next + 1) % capacity;
        Count = Math.Min(Count + 1, capacity);
    }

    /// <summary>Fills a batch with transitions, each drawn from all.</summary>
    public void Draw(Random random, TransitionBatch batch)
    {
        for (int i = 0; i < batch.Actions.Length; i++)
        {
            int at = random.Next(Count);
            Row(_before, at).CopyTo(Row(batch.Before, i));
            Row(_after, at).CopyTo(Row(batch.After, i));
            (batch.Actions[i], batch.Rewards[i], batch.Terminated[i]) = (_actions[at], _rewards[at], _terminated[at]);
        }
    }

    private Span<float> Row(float[] rows, int index) => rows.AsSpan(index * observationSize, observationSize);
}

/// <summary>Transitions side by side.</summary>
internal sealed class TransitionBatch(int count, int observationSize)
{
    public float[] Before { get; } = new float[count * observationSize];

    public float[] After { get; } = new float[count * observationSize];

    public int[] Actions { get; } = new int[count];

    public float[] Rewards { get; } = new float[count];

    public bool[] Terminated { get; } = new bool[count];
}
