namespace FastNN.Cli.Recipes;

/// <summary>
/// Four rooms joined by four doors (Sutton, Precup, Singh, 1999) on a grid of 11x11: from a random cell to the goal in a
/// corner in the fewest steps. A step costs 0.01, the goal is worth 1.
/// </summary>
internal sealed class FourRooms : GameEnvironment
{
    public const float StepReward = -0.01f;

    private const string Map = """
        ###########
        #....#....#
        #....#....#
        #.........#
        #....#....#
        ##.###....#
        #....###.##
        #....#....#
        #....#....#
        #.........#
        ###########
        """;

    private static readonly string[] Rows = Map.Split('\n');
    private static readonly (int Row, int Column)[] Cells = FreeCells();
    private static readonly (int Row, int Column)[] Moves = [(-1, 0), (0, 1), (1, 0), (0, -1)];

    private static readonly (int Row, int Column) Goal = (9, 9);

    private (int Row, int Column) _agent;

    /// <summary>The agent's cell as one of the free cells.</summary>
    public override int ObservationSize => Cells.Length;

    /// <summary>Up, right, down, left; a move into a wall is none.</summary>
    public override int Actions => Moves.Length;

    public override int MaxSteps => 100;

    public override void Observe(Span<float> observation)
    {
        observation.Clear();
        observation[Array.IndexOf(Cells, _agent)] = 1;
    }

    /// <summary>The fewest moves to the goal, by breadth-first search.</summary>
    public int ShortestPath() => PathFrom(_agent);

    /// <summary>The same after an action that is not taken.</summary>
    internal int PathAfter(int action) => PathFrom(After(_agent, action));

    private static int PathFrom((int Row, int Column) start)
    {
        var distance = new Dictionary<(int, int), int> { [start] = 0 };
        var queue = new Queue<(int Row, int Column)>([start]);
        while (queue.TryDequeue(out (int Row, int Column) cell) && cell != Goal)
        {
            for (int action = 0; action < Moves.Length; action++)
            {
                if (distance.TryAdd(After(cell, action), distance[cell] + 1))
                {
                    queue.Enqueue(After(cell, action));
                }
            }
        }

        return distance[Goal];
    }

    protected override void Begin(Random random)
    {
        do
        {
            _agent = Cells[random.Next(Cells.Length)];
        }
        while (_agent == Goal);
    }

    protected override (float Reward, bool Terminated) Act(int action)
    {
        _agent = After(_agent, action);
        return _agent == Goal ? (StepReward + 1, true) : (StepReward, false);
    }

    private static (int Row, int Column) After((int Row, int Column) cell, int action)
    {
        (int row, int column) = (cell.Row + Moves[action].Row, cell.Column + Moves[action].Column);
        return Rows[row][column] == '#' ? cell : (row, column);
    }

    private static (int Row, int Column)[] FreeCells() =>
    [
        .. from row in Enumerable.Range(0, Rows.Length)
           from column in Enumerable.Range(0, Rows[row].Length)
           where Rows[row][column] == '.'
           select (row, column),
    ];
}
