"""The vendors of the story. Data and no more. Pure."""

from dataclasses import dataclass

from mlconnector.demo.draw import draw

# How many of a hundred are paid how; the rest gets checks.
BY_ACH, BY_CARD = 45, 20
BY_CHECK_ONLY = ("utilities", "property", "insurance")


@dataclass(frozen=True, kw_only=True)
class Vendor:
    """A vendor with all that a check needs to find its way; the trade says what it sells."""

    name: str
    street: str
    city: str
    state: str
    postal_code: str
    trade: str

    @property
    def currency(self) -> str:
        return "EUR" if self.trade == "import" else "USD"

    @property
    def pays_by(self) -> str:
        """The way in which it wants its money from AvidXchange."""
        drawn = draw(f"method {self.name}", 100)
        if self.trade in BY_CHECK_ONLY or drawn >= BY_ACH + BY_CARD:
            return "check"
        return "ach" if drawn < BY_ACH else "virtual_card"


TABLE = """
    Alder & Finch Tableware       | 410 Depot St            | Asheville      | NC | 28801 | tableware
    Cullowhee Clayworks           | 38 Old Cullowhee Rd     | Sylva          | NC | 28779 | tableware
    Fenwick Glass Co.             | 1200 Pottery Ln         | Toledo         | OH | 43604 | tableware
    Larkfield Flatware            | 77 Silversmith Way      | Oneida         | NY | 13421 | tableware
    Cooks' Quarter Supply         | 5120 Peachtree Ind Blvd | Norcross       | GA | 30071 | kitchen
    Ironleaf Cookware             | 915 Foundry Rd          | Chattanooga    | TN | 37402 | kitchen
    Marlowe Knife & Board         | 26 Tannery Row          | Fayetteville   | NC | 28301 | kitchen
    Pinnacle Pan Works            | 3300 Steel Mill Dr      | Birmingham     | AL | 35203 | kitchen
    Bluebird Janitorial Products  | 2401 Commerce Pkwy      | Charlotte      | NC | 28206 | janitorial
    Clearbrook Chemical           | 690 Riverport Dr        | Knoxville      | TN | 37914 | janitorial
    Hearth & Hall Housekeeping    | 118 Market St           | Greenville     | SC | 29601 | janitorial
    Sparrow Mop and Broom         | 54 Broomcorn Ln         | Mattoon        | IL | 61938 | janitorial
    Yadkin Paper Supply           | 3300 Jonestown Rd       | Winston-Salem  | NC | 27104 | paper
    Canton Mill Papers            | 17 Paper Mill Rd        | Canton         | NC | 28716 | paper
    Whitewater Tissue             | 2250 Canal St           | Green Bay      | WI | 54303 | paper
    Southbound Napkin Co.         | 840 Cotton Ave          | Macon          | GA | 31201 | paper
    Piedmont Packaging Co.        | 2218 Patterson St       | Greensboro     | NC | 27407 | packaging
    Great Smoky Pallet Co.        | 212 Sawmill Rd          | Waynesville    | NC | 28786 | packaging
    Kestrel Carton                | 601 Boxwood Dr          | Spartanburg    | SC | 29303 | packaging
    Sugar Maple Labels            | 95 Riverside Dr         | Knoxville      | TN | 37914 | packaging
    Haywood Linen                 | 33 Commerce St          | Waynesville    | NC | 28786 | linen
    Loom & Laurel                 | 1401 Mill Ave           | Gastonia       | NC | 28052 | linen
    Tidewater Uniform             | 720 Granby St           | Norfolk        | VA | 23510 | linen
    Amber Fields Milling          | 480 Grain Belt Rd       | Salina         | KS | 67401 | dry goods
    Copper Kettle Provisions      | 2900 Produce Row        | Atlanta        | GA | 30315 | dry goods
    Old Well Coffee Roasters      | 61 Franklin St          | Chapel Hill    | NC | 27514 | dry goods
    Sourwood Honey Packers        | 9 Apiary Ln             | Burnsville     | NC | 28714 | dry goods
    Cold Mountain Spring Water    | 1300 Pigeon Rd          | Waynesville    | NC | 28786 | beverage
    French Broad Bottling         | 77 Amboy Rd             | Asheville      | NC | 28806 | beverage
    Swannanoa Tea Company         | 412 Warren Wilson Rd    | Swannanoa      | NC | 28778 | beverage
    Steinfeld Keramik GmbH        | Industriestrasse 14     | Singen         | BW | 78224 | import
    Carolina Freight Lines        | 4100 Wilkinson Blvd     | Charlotte      | NC | 28208 | freight
    Gap Creek Trucking            | 88 Gap Creek Rd         | Fletcher       | NC | 28732 | freight
    Holston River Haulers         | 1515 Lynn Garden Dr     | Kingsport      | TN | 37665 | freight
    Palmetto Parcel               | 300 Airport Rd          | Greer          | SC | 29651 | freight
    Redtail Express               | 2020 Distribution Dr    | Memphis        | TN | 38118 | freight
    Tri-Peaks Logistics           | 640 Interchange Blvd    | Johnson City   | TN | 37601 | freight
    Foothills Fuel & Oil          | 75 Fleming Dr           | Morganton      | NC | 28655 | fuel
    Pisgah Petroleum              | 209 Smoky Park Hwy      | Asheville      | NC | 28806 | fuel
    Catawba Valley Power          | 75 Lenoir Rhyne Blvd    | Hickory        | NC | 28602 | utilities
    Laurel Gas                    | 14 Church St            | Asheville      | NC | 28801 | utilities
    Tri-County Telecom            | 48 Courthouse Sq        | Marion         | NC | 28752 | utilities
    Upstate Water District        | 407 Augusta St          | Greenville     | SC | 29605 | utilities
    Foothills Industrial Park     | 900 Enterprise Dr       | Morganton      | NC | 28655 | property
    Reedy River Properties        | 12 Falls Park Dr        | Greenville     | SC | 29601 | property
    Dogwood Overhead Doors        | 520 Sweeten Creek Rd    | Asheville      | NC | 28803 | repairs
    Ironwood Racking              | 1780 Industrial Way     | Greenville     | SC | 29607 | repairs
    Nantahala Security            | 233 Main St             | Sylva          | NC | 28779 | repairs
    Summit Lift & Equipment       | 1450 Smoky Park Hwy     | Asheville      | NC | 28806 | repairs
    Larkspur Software Inc.        | 88 Kendall Sq           | Cambridge      | MA | 02142 | software
    Routewise Systems             | 1717 Peachtree St       | Atlanta        | GA | 30309 | software
    Old North Mutual              | 5 Exchange Plaza        | Raleigh        | NC | 27601 | insurance
    Hargrove & Tate LLP           | 301 S College St        | Charlotte      | NC | 28202 | legal
    Brightwater Cleaning          | 640 Merrimon Ave        | Asheville      | NC | 28804 | cleaning
    Spruce & Shine Services       | 25 Wade Hampton Blvd    | Greenville     | SC | 29609 | cleaning
    Old Mill Sign Shop            | 6 Mill St               | Black Mountain | NC | 28711 | signs
    Ridgeline Print & Sign        | 17 Biltmore Ave         | Asheville      | NC | 28801 | printing
    Ready Hands Staffing          | 1100 Patton Ave         | Asheville      | NC | 28806 | staffing
    Volunteer Crew Staffing       | 3100 Kingston Pike      | Knoxville      | TN | 37919 | staffing
    Parkway Travel Desk           | 1 Haywood St            | Asheville      | NC | 28801 | travel
"""


def _vendors(table: str) -> list[Vendor]:
    rows = [[cell.strip() for cell in line.split("|")] for line in table.strip().splitlines()]
    return [
        Vendor(name=name, street=street, city=city, state=state, postal_code=postal_code, trade=trade)
        for name, street, city, state, postal_code, trade in rows
    ]


VENDORS = {vendor.name: vendor for vendor in _vendors(TABLE)}
