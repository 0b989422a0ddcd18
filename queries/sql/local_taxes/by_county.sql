-- title: Local taxes by county
-- question: What do the counties' own taxes bring, by kind and per inhabitant?
-- param: year integer 2025 – calendar year
-- column: county_code text – county
-- column: county_zh text – its name
-- column: local_bureau_zh text – its tax bureau
-- column: land_value integer – land value tax, NT$
-- column: land_value_increment integer – land value increment tax, NT$
-- column: house integer – house tax, NT$
-- column: vehicle_license integer – vehicle licence tax, NT$
-- column: other_local integer – deed, stamp, amusement and agricultural land tax, NT$
-- column: all_local integer – NT$
-- column: per_inhabitant integer – NT$, rounded down
-- portable: yes
WITH collected AS (
    SELECT r.county_code,
           CAST(SUM(CASE WHEN r.tax_type = 'land_value' THEN r.net_collections ELSE 0 END) AS BIGINT) AS land_value,
           CAST(SUM(CASE WHEN r.tax_type = 'land_value_increment' THEN r.net_collections ELSE 0 END) AS BIGINT) AS land_value_increment,
           CAST(SUM(CASE WHEN r.tax_type = 'house' THEN r.net_collections ELSE 0 END) AS BIGINT) AS house,
           CAST(SUM(CASE WHEN r.tax_type = 'vehicle_license' THEN r.net_collections ELSE 0 END) AS BIGINT) AS vehicle_license,
           CAST(SUM(r.net_collections) AS BIGINT) AS all_local
    FROM tax.revenue_monthly r
    JOIN ref.tax_type t ON t.tax_type = r.tax_type
    WHERE t.level = 'local' AND EXTRACT(YEAR FROM r.month) = $year
    GROUP BY r.county_code
)
SELECT x.county_code,
       c.name_zh AS county_zh,
       c.local_bureau_zh,
       x.land_value,
       x.land_value_increment,
       x.house,
       x.vehicle_license,
       x.all_local - x.land_value - x.land_value_increment - x.house - x.vehicle_license AS other_local,
       x.all_local,
       CAST(floor(CAST(x.all_local AS DOUBLE) / c.population) AS BIGINT) AS per_inhabitant
FROM collected x
JOIN ref.county c ON c.county_code = x.county_code
ORDER BY x.all_local DESC, x.county_code
