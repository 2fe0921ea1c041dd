using FastNN.Cli.Running;

namespace FastNN.Cli.Recipes;

/// <summary>An agent that learns the shortest way through four rooms, by deep Q-learning.</summary>
internal sealed class GridWorldRecipe : ScriptedRecipe
{
    private const int Episodes = 500;

    public override string Name => "gridworld";

    public override string Network => "Dense 128 ReLU, Dense 128 ReLU, Dense 4";

    public override string DataDescription => "four rooms on a grid of 11x11, start at random, goal in a corner";

    public override string TrainingDescription =>
        "double deep Q-learning: replay of 20,000 transitions, target network every 250 steps, Huber loss, Adam 1e-3, batch 64, 20,000 steps";

    public override Goal Goal => new("mean return as a share of the shortest paths'", 0.98);

    public override Goal QuickGoal => new("mean return as a share of the shortest paths'", 0.3);

    public override IReadOnlyList<string> Files => ["network.safetensors"];

    public override double Run(ScriptRun run)
    {
        int steps = run.Pick(20_000, 8000);
        using var agent = new ValueAgent(run.Device, new FourRooms(), run.Seed);
        using (ScriptPhase phase = run.Begin("q-learning", steps))
        {
            agent.Train(run.Device, steps, phase);
        }

        run.Keep("network.safetensors", agent.Network);
        using Predictor predictor = agent.Network.CreatePredictor(run.Device);
        var random = new Random((int)run.Seed + 1000);
        double reached = Play.MeanReturn(new FourRooms(), predictor, Episodes, random);
        double best = BestReturn(new Random((int)run.Seed + 1000));
        run.Figure("mean return", reached);
        run.Figure("mean return of the shortest paths", best);
        run.Figure("mean return of random actions", RandomReturn(new Random((int)run.Seed + 1000)));
        return reached / best;
    }

    /// <summary>What the same episodes give an agent that always takes the shortest path.</summary>
    private static double BestReturn(Random random)
    {
        var rooms = new FourRooms();
        double total = 0;
        for (int episode = 0; episode < Episodes; episode++)
        {
            rooms.Reset(random);
            total += 1 + (FourRooms.StepReward * rooms.ShortestPath());
        }

        return total / Episodes;
    }

    private static double RandomReturn(Random random)
    {
        var rooms = new FourRooms();
        double total = 0;
        for (int episode = 0; episode < Episodes; episode++)
        {
            rooms.Reset(random);
            bool over = false;
            while (!over)
            {
                (_, bool terminated, bool truncated) = rooms.Step(random.Next(rooms.Actions));
                over = terminated || truncated;
            }

            total += rooms.Return;
        }

        return total / Episodes;
    }
}
